import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syncDirectory } from '@wcc/copy/receive';
import { describe, expect, it } from 'vitest';
import { inDataDirectory } from '../../files/data-directory.ts';
import type { PhaseEvent, Work } from '../../operations/work.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import type { MachineSpec } from '../hypervisor/machine-spec.ts';
import { normalizeErrors } from '../hypervisor/normalize-errors.ts';
import { createDefinitions } from '../hypervisor/qemu/definitions.ts';
import { createSeeds } from '../seed/seeds.ts';
import { runSteps } from './steps.ts';
import type { Step, StepOptions } from './steps.ts';

/** A step that waits until `finish` or until its signal aborts. */
function createBlockingStep(phase: string): Step & { started: Promise<void>; finish: () => void } {
  let onStart = (): void => {};
  let finish = (): void => {};
  const started = new Promise<void>((resolve) => (onStart = resolve));
  const finished = new Promise<void>((resolve) => (finish = resolve));
  return {
    phase,
    started,
    finish,
    run: ({ signal }) => {
      onStart();
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
      return Promise.race([finished, aborted]);
    },
  };
}

const places = { hide: (text: string) => text };

function run(steps: readonly Step[], options: Partial<StepOptions> = {}): { work: Work; phases: string[] } {
  const phases: string[] = [];
  const onPhase = ({ phase }: PhaseEvent): void => void phases.push(phase);
  return { work: runSteps(steps, { onPhase, onWarning: () => {} }, { places, ...options }), phases };
}

const failing = (reason: Error): Step => ({ phase: 'check', run: () => Promise.reject(reason) });

describe('runSteps', () => {
  it('runs the steps in order and reports the time of each phase', async () => {
    const { work, phases } = run(['check', 'define'].map((phase) => ({ phase, run: async () => {} })));
    const result = await work.done;
    expect(result).toMatchObject({ bytes: null, method: null, warnings: [] });
    expect(result.phases.map(({ name }) => name)).toEqual(['check', 'define']);
    expect(phases).toEqual(['check', 'define']);
  });

  it('fails with the message of the hypervisor', async () => {
    const { work } = run([failing(new HypervisorError('start_failed', { detail: 'no such machine type' }))]);
    await expect(work.done).rejects.toMatchObject({
      code: 'failed',
      error: { code: 'hypervisor_failed', message: 'The machine did not start. no such machine type' },
    });
  });

  it('pauses on a full file system, as a copy does', async () => {
    const { work } = run([failing(Object.assign(new Error('write'), { code: 'ENOSPC' }))]);
    await expect(work.done).rejects.toMatchObject({
      code: 'paused',
      error: { code: 'no_space', detail: 'ENOSPC' },
    });
  });

  it('D5: pauses when a directory of the data directory is missing, also below a driver, and names it', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'wcc-gone-'));
    const dataDir = join(parent, 'file');
    await writeFile(dataDir, 'in the place of the directory');
    const uuid = '00000000-0000-4000-8000-000000000001';
    const contents = { instanceId: uuid, hostname: 'web', firstBoot: { sshKeys: [] } };
    const definitions = createDefinitions(join(dataDir, 'machines'));
    const define = (): Promise<void> =>
      definitions.write({ spec: { uuid } as MachineSpec, machineType: 'pc' });
    const driver = normalizeErrors({ define } as unknown as Hypervisor);
    const steps = [
      () => createSeeds(dataDir).write(uuid, contents),
      () => driver.define({ uuid } as MachineSpec),
      () => inDataDirectory(() => syncDirectory(join(parent, 'missing'))),
    ];
    for (const step of steps) {
      const { work } = run([{ phase: 'define', run: step }]);
      await expect(work.done).rejects.toMatchObject({
        code: 'paused',
        error: { code: 'data_dir_unavailable' },
      });
    }
    await rm(parent, { recursive: true });
  });

  it('waits between two steps while paused', async () => {
    const first = createBlockingStep('check');
    const second = createBlockingStep('define');
    const { work, phases } = run([first, second]);
    await first.started;
    work.pause();
    first.finish();
    await new Promise((resolve) => setImmediate(resolve));
    expect(phases).toEqual(['check']);
    work.resume();
    await second.started;
    second.finish();
    expect((await work.done).phases).toHaveLength(2);
  });

  it.each(['cancelled', 'interrupted'] as const)('ends as %s in a step and while paused', async (reason) => {
    for (const isPaused of [false, true]) {
      const step = createBlockingStep('check');
      const { work } = run([step, { phase: 'define', run: async () => {} }]);
      await step.started;
      if (isPaused) {
        work.pause();
        step.finish();
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (reason === 'cancelled') work.cancel();
      else work.interrupt();
      await expect(work.done).rejects.toMatchObject({ code: reason });
    }
  });

  it('ignores a cancel after the step that cannot be undone', async () => {
    const step = createBlockingStep('undefine');
    const { work } = run([step], { canCancel: () => false });
    await step.started;
    work.cancel();
    step.finish();
    expect((await work.done).phases).toHaveLength(1);
  });
});
