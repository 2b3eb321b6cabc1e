import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DoctorReport } from '@wcc/api';
import { doctorReport } from '@wcc/api';
import type { ServerConfig } from '../config/config.ts';
import { collect, closeOf } from '../images/tools/run-tool.ts';
import { plainEnvironment } from '../images/tools/spawn-tool.ts';
import { workerUrl } from '../storage/thread.ts';
import type { DoctorSettings } from './places.ts';

/** More than the checks need, even if some of them hang. */
const limitMs = 90_000;
/** Several askers at about the same time get one report. */
const keptMs = 3_000;

/** The checks of this host, as the running server offers them. */
export interface Doctor {
  /** Runs the checks, or waits for the run of another caller. */
  report(): Promise<DoctorReport>;
  /** The certificate that the server uses from now on. */
  readonly useTls: (tls: DoctorSettings['tls']) => void;
  close(): void;
}

/**
 * Runs the checks in another process: they read the whole database and wait for disks that may hang, and a server must
 * not wait with them.
 */
export function createDoctor(config: ServerConfig): Doctor {
  let settings = settingsOf(config);
  const stopping = new AbortController();
  let running: Promise<DoctorReport> | null = null;
  let kept: { report: DoctorReport; untilMs: number } | null = null;
  return {
    report() {
      if (kept !== null && performance.now() < kept.untilMs) return Promise.resolve(kept.report);
      running ??= runChecks(settings, stopping.signal)
        .then((report) => {
          kept = { report, untilMs: performance.now() + keptMs };
          return report;
        })
        .finally(() => {
          running = null;
        });
      return running;
    },
    useTls: (tls) => void (settings = { ...settings, tls }),
    close: () => stopping.abort(),
  };
}

function settingsOf(config: ServerConfig): DoctorSettings {
  const { dataDir, pool, hypervisor, tls, publicUrl, host, behindTlsProxy, ownCertificate, freeSpaceFloor } =
    config;
  return { dataDir, pool, hypervisor, tls, publicUrl, host, behindTlsProxy, ownCertificate, freeSpaceFloor };
}

async function runChecks(settings: DoctorSettings, signal: AbortSignal): Promise<DoctorReport> {
  const script = fileURLToPath(workerUrl('../doctor/process'));
  const child = spawn(process.execPath, [script], {
    env: { ...plainEnvironment },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
    signal,
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  child.stdin.on('error', () => {}).end(JSON.stringify({ settings }));
  const { code, by } = await closeOf(child);
  if (code === 0) return doctorReport.parse(JSON.parse(stdout()));
  throw new Error(`The checks of the host ended with ${by ?? code}: ${stderr().slice(0, 1_000)}`);
}
