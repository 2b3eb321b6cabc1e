import { doctorChecks } from '@wcc/api';
import type { SystemText } from './text.ts';

export const en: SystemText = {
  title: 'System',
  lead: 'Checks of this host, and what to do. They change nothing.',
  again: 'Check again',
  checking: 'Checking…',
  checkedAt: (time, duration) => `Checked at ${time}, in ${duration}.`,
  advice: 'What to do:',
  states: { ok: 'OK', warning: 'Warning', failed: 'Failed', skipped: 'Skipped' },
  parts: { attention: 'Needs attention', good: 'In order', skipped: 'Not checked' },
  allGood: 'All checks are in order.',
  summary: (failed, warnings) => `Failed: ${failed}, warnings: ${warnings}.`,
  checks: doctorChecks,
};
