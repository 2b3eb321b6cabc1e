import type { MachineState, MachineStateReason } from '../../hypervisor.ts';

/** One machine in the output of `virsh domstats`. */
export interface DomainStats {
  readonly name: string;
  readonly state: MachineState;
  readonly reason: MachineStateReason;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly residentBytes: number | null;
}

/** virDomainState */
const states: Readonly<Record<number, MachineState>> = {
  1: 'running',
  2: 'running',
  3: 'paused',
  // shutting down
  4: 'running',
  5: 'shut_off',
  6: 'crashed',
  7: 'suspended',
};
const [paused, shutOff, crashed] = [3, 5, 6];
/** The values of virDomainPausedReason, virDomainCrashedReason and virDomainShutoffReason that have a meaning here. */
const pausedByIoError = 5;
const crashedByPanic = 1;
const shutOffByCrash = 3;

/** Parses blocks of `Domain: 'name'` followed by lines of `key=value`. */
export function parseStats(text: string): DomainStats[] {
  const blocks = text.split(/^Domain: '/m).slice(1);
  return blocks.map(parseBlock);
}

function parseBlock(block: string): DomainStats {
  const end = block.indexOf('\n');
  const head = end === -1 ? block : block.slice(0, end);
  const number = (key: string): number => {
    const found = new RegExp(String.raw`^\s+${key.replaceAll('.', String.raw`\.`)}=(\d+)$`, 'm').exec(block);
    return Number(found?.[1] ?? 0);
  };
  const code = number('state.state');
  return {
    name: head.replace(/'\s*$/, ''),
    ...stateOf(code, number('state.reason')),
    cpus: number('vcpu.maximum'),
    memoryBytes: number('balloon.maximum') * 1024,
    // Zero: the machine is off, or libvirt does not know.
    residentBytes: number('balloon.rss') * 1024 || null,
  };
}

function stateOf(code: number, reason: number): Pick<DomainStats, 'state' | 'reason'> {
  if (code === shutOff && reason === shutOffByCrash) return { state: 'crashed', reason: null };
  if (code === paused && reason === pausedByIoError) return { state: 'paused', reason: 'io_error' };
  if (code === crashed && reason === crashedByPanic) return { state: 'crashed', reason: 'guest_panic' };
  return { state: states[code] ?? 'unknown', reason: null };
}
