import { escapeTerminal } from '@wcc/progress/terminal';

/** What `@wcc/server/doctor` answers, as far as it is shown. */
export interface HostReport {
  state: 'ok' | 'warning' | 'failed';
  checks: readonly {
    id: string;
    title: string;
    state: 'ok' | 'warning' | 'failed' | 'skipped';
    found: string;
    advice: string | null;
  }[];
}

const stateWidth = 'warning'.length;

/** The text of `wcc doctor`: a line for each check, and what to do below those that need something. */
export function doctorReport({ checks }: HostReport): string {
  const titleWidth = Math.max(...checks.map(({ title }) => title.length));
  const indent = ' '.repeat(stateWidth + titleWidth + 4);
  const lines = checks.flatMap(({ state, title, found, advice }) => [
    `${state.padEnd(stateWidth)}  ${title.padEnd(titleWidth)}  ${escapeTerminal(found)}`,
    ...(advice === null ? [] : [`${indent}${escapeTerminal(advice)}`]),
  ]);
  const counts = (['failed', 'warning', 'skipped', 'ok'] as const).map(
    (state) => `${checks.filter((check) => check.state === state).length} ${state}`,
  );
  return `${lines.join('\n')}\n\n${counts.join(', ')}\n`;
}
