import type { OnError } from '@wcc/progress/server';
import type { ServiceEnvironment } from './environment.ts';
import { createNotifier } from './notifier.ts';
import { watch } from './watchdog.ts';

/** What the service manager hears of this process. Without a service manager, each call sends nothing. */
export interface Service {
  /** The start takes long, for example because of a change of all rows. */
  slowStart(status: string): void;
  /** The server is ready. From now on, its status is sent, and a sign of life each time `ping` resolves. */
  ready(server: ServiceState): void;
  /** The service manager knows that settings are read again until `reload` has ended. One call at a time. */
  reloading(reload: () => Promise<void>): Promise<void>;
  stopping(): void;
}

export interface ServiceState {
  /** One line for `systemctl status`. */
  status: () => string;
  /** Pending while the database hangs. */
  ping: () => Promise<void>;
}

/** An update of a large database copies it first. The service manager waits this long for each sign of life. */
const slowStartUs = 3_600_000_000;
const statusMs = 2_000;

export function createService({ socket, watchdogMs }: ServiceEnvironment, onError: OnError): Service {
  const notify = createNotifier(socket, onError);
  let timer: NodeJS.Timeout | undefined;
  let reloads: Promise<void> = Promise.resolve();
  let isStopping = false;
  let readStatus = (): string => '';
  let sent = '';
  const sendStatus = (): void => {
    const status = readStatus();
    if (status !== sent) void notify({ STATUS: status });
    sent = status;
  };
  const reload = async (call: () => Promise<void>): Promise<void> => {
    if (isStopping) return;
    await notify({ RELOADING: 1, MONOTONIC_USEC: monotonicUs(), STATUS: 'Reading settings again' });
    // A failed reload keeps the earlier settings, so the service is ready in any case.
    await call().catch((error: unknown) => onError(error, { stage: 'service: reload' }));
    sent = readStatus();
    if (!isStopping) await notify({ READY: 1, STATUS: sent });
  };
  return {
    slowStart: (status) => void notify({ EXTEND_TIMEOUT_USEC: String(slowStartUs), STATUS: status }),
    ready({ status, ping }) {
      if (socket === null) return;
      readStatus = status;
      sent = status();
      void notify({ READY: 1, STATUS: sent });
      timer = setInterval(sendStatus, statusMs).unref();
      if (watchdogMs !== null) watch(ping, { watchdogMs, feed: () => void notify({ WATCHDOG: 1 }) });
    },
    reloading: (call) => (reloads = reloads.then(() => reload(call))),
    stopping() {
      isStopping = true;
      clearInterval(timer);
      void notify({ STOPPING: 1, STATUS: 'Stopping: copies write a checkpoint' });
    },
  };
}

/** The clock of `MONOTONIC_USEC` is CLOCK_MONOTONIC, which `hrtime` reads. */
function monotonicUs(): string {
  return String(process.hrtime.bigint() / 1000n);
}
