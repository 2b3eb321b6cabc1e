/** What the service manager, e.g. systemd, says in the environment (sd_notify(3), sd_watchdog_enabled(3)). */
export interface ServiceEnvironment {
  /** Address of the socket of the service manager; null without one. */
  socket: string | null;
  /** Time without a sign of life after which the service manager kills this process; null: never. */
  watchdogMs: number | null;
}

const names = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/**
 * Reads these variables and removes them, so that no child can speak for this process. A watchdog for another process
 * is ignored.
 */
export function takeServiceEnvironment(
  environment: Record<string, string | undefined>,
  pid: number,
): ServiceEnvironment {
  const [socket = '', watchdogUs = '', watchdogPid = ''] = names.map((name) => environment[name]);
  for (const name of names) delete environment[name];
  const isForUs = watchdogPid === '' || watchdogPid === String(pid);
  const watchdogMs = Number(watchdogUs) / 1000;
  return {
    socket: socket === '' ? null : socket,
    watchdogMs: socket !== '' && isForUs && watchdogMs > 0 ? watchdogMs : null,
  };
}
