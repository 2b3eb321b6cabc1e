import { findTool } from '../images/tools/find-tool.ts';
import { runTool } from '../images/tools/run-tool.ts';
import { readNewestTime } from './database.ts';
import type { Finding } from './finding.ts';
import { finding } from './finding.ts';
import type { Host } from './host.ts';

/** Smaller steps happen while a clock is synchronised. */
const toleratedMs = 60_000;

export async function checkClock(host: Host): Promise<Finding> {
  const newest = readNewestTime(host);
  const now = new Date();
  if (newest !== null && Date.parse(newest) > now.getTime() + toleratedMs)
    return finding('clock_behind', { newest, now: now.toISOString() });
  for (const { source, isSynchronised } of [askSystemd, askChrony].map((ask) => ask(host))) {
    const answer = await isSynchronised;
    if (answer !== null) return finding(answer ? 'clock_synchronised' : 'clock_unsynchronised', { source });
  }
  return finding('clock_unknown');
}

interface Answer {
  source: string;
  /** Null: this program does not know. */
  isSynchronised: Promise<boolean | null>;
}

/** systemd asks the kernel, whatever program keeps the time. */
function askSystemd(host: Host): Answer {
  const args = ['show', '--property=NTPSynchronized', '--value'];
  const isSynchronised = run(host, { tool: 'timedatectl', args }).then((output) =>
    output === null ? null : (({ yes: true, no: false } as Record<string, boolean>)[output.trim()] ?? null),
  );
  return { source: 'timedatectl', isSynchronised };
}

function askChrony(host: Host): Answer {
  const isSynchronised = run(host, { tool: 'chronyc', args: ['-n', 'tracking'] }).then((output) => {
    const status = /^Leap status +: (.+)$/m.exec(output ?? '')?.[1];
    return status === undefined ? null : status.trim() !== 'Not synchronised';
  });
  return { source: 'chronyc', isSynchronised };
}

async function run(
  { places }: Host,
  command: { tool: 'timedatectl' | 'chronyc'; args: string[] },
): Promise<string | null> {
  if (findTool(command.tool, places.programs) === null) return null;
  const { code, stdout } = await runTool(
    { ...command, limits: null, directories: places.programs },
    { timeoutMs: 5_000 },
  );
  return code === 0 ? stdout : null;
}
