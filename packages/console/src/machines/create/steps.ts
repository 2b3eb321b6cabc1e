import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { size } from '../../text/format.ts';
import { selectField, textField } from '../../ui/fields.ts';
import { segmentField } from '../../ui/segments.ts';
import { cdBusField } from '../cd-bus-field.ts';
import { diskSteps } from './disks.ts';
import { createFirstBoot } from './first-boot.ts';
import type { CreateStep } from './form.ts';
import { createReview } from './review.ts';
import type { Step, StepContext } from './step.ts';

/** The fields of each step. */
export const createStepViews: Readonly<Record<CreateStep, Step>> = {
  basics,
  cpu,
  disks: diskSteps,
  network,
  firstBoot: createFirstBoot,
  review: createReview,
};

function basics({ words, form, resources, problems, change }: StepContext): TemplateResult {
  const problem = problems.find(({ field }) => field === 'name');
  const why = problem?.field === 'name' ? problem.why : null;
  const pools = resources.pools.filter(({ state }) => state === 'ready');
  return html`${textField({
    id: 'create-name',
    label: words.name,
    value: form.name,
    change: (name) => change({ name }),
    note: why === null ? words.nameFree : words.nameProblems[why],
    isBad: why !== null && form.name !== '',
    isGood: why === null,
  })}
  ${segmentField({
    name: 'create-firmware',
    label: words.firmware,
    value: form.firmware,
    choices: [
      { value: 'bios', label: words.firmwares.bios },
      { value: 'uefi', label: words.firmwares.uefi },
    ],
    change: (firmware) => change({ firmware }),
    note: words.making.firmwareHints[form.firmware],
  })}
  ${cdBusField({ name: 'create-cdBus', value: form.cdBus, change: (cdBus) => change({ cdBus }) }, words)}
  ${
    pools.length < 2
      ? nothing
      : selectField({
          id: 'create-pool',
          label: words.making.pool,
          value: form.pool === '' ? (pools[0]?.id ?? '') : form.pool,
          choices: pools.map(({ id, name, freeBytes }) => ({
            value: id,
            label: `${name} · ${words.first.free(size(freeBytes))}`,
          })),
          change: (pool) => change({ pool }),
        })
  }`;
}

function cpu({ words, form, resources, problems, change }: StepContext): TemplateResult {
  const { host } = resources;
  const isBadCpus = problems.some(({ field }) => field === 'cpus');
  const memoryProblem = problems.find(({ field }) => field === 'memory');
  const total = host === null ? '' : size(host.memoryBytes);
  const free = host === null ? '' : words.making.memoryHint(size(host.freeMemoryBytes), total);
  return html`${textField({
    id: 'create-cpus',
    label: words.cpus,
    value: form.cpus,
    mode: 'numeric',
    change: (cpus) => change({ cpus }),
    note: isBadCpus ? words.badCpus : host === null ? '' : words.making.cpusHint(String(host.cpus)),
    isBad: isBadCpus,
  })}
  ${textField({
    id: 'create-memory',
    label: words.memory,
    value: form.memory,
    mode: 'decimal',
    unit: 'GiB',
    change: (memory) => change({ memory }),
    note:
      memoryProblem === undefined
        ? free
        : memoryProblem.why === 'too_much'
          ? words.making.tooMuch(total)
          : words.badMemory,
    isBad: memoryProblem !== undefined,
  })}`;
}

function network({ words, form, resources, problems, change }: StepContext): TemplateResult {
  const names = resources.host?.networks ?? [];
  const isNamed = form.network === 'network' || form.network === 'bridge';
  const isBad = problems.some(({ step }) => step === 'network');
  const kinds = ['user', 'network', 'bridge', 'none'] as const;
  return html`${segmentField({
    name: 'create-network',
    label: words.network,
    value: form.network,
    choices: kinds.map((kind) => ({
      value: kind,
      label: words.networks[kind],
      isOff: (kind === 'network' || kind === 'bridge') && names.length === 0,
    })),
    change: (kind) => change({ network: kind }),
    note: words.making.networkHints[form.network],
  })}
  ${
    isNamed
      ? selectField({
          id: 'create-networkName',
          label: words.making.networkName,
          value: form.networkName,
          choices: [
            { value: '', label: words.making.choose },
            ...names.map((name) => ({ value: name, label: name })),
          ],
          change: (networkName) => change({ networkName }),
          isBad,
          ...(isBad ? { note: words.making.noNetwork } : {}),
        })
      : nothing
  }`;
}
