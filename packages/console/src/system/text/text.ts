import type { DoctorCheckId, DoctorCode, DoctorState } from '@wcc/api';

type StoragePrefix =
  `${'data' | 'place' | 'file_system' | 'database' | 'pool' | 'space' | 'inodes'}_${string}`;
type OtherStorage = `${'writes' | 'barriers' | 'audit' | 'blocks' | 'guests' | 'disks'}_${string}`;

export type StorageCode = Extract<DoctorCode, StoragePrefix | OtherStorage>;
export type HostCode = Exclude<DoctorCode, StorageCode>;

/** What was found, and what to do; null if nothing. Parameters are in braces, as in the English texts. */
export type DoctorFindingText = readonly [found: string, advice: string | null];
export type DoctorFindingTexts<Code extends DoctorCode = DoctorCode> = Readonly<
  Record<Code, DoctorFindingText>
>;

/** Texts of the page System. English results come from the server. */
export interface SystemText {
  title: string;
  lead: string;
  again: string;
  checking: string;
  checkedAt: (time: string, duration: string) => string;
  advice: string;
  states: Record<DoctorState, string>;
  /** Headings of the three parts of the list. */
  parts: Record<'attention' | 'good' | 'skipped', string>;
  allGood: string;
  summary: (failed: string, warnings: string) => string;
  checks: Record<DoctorCheckId, string>;
}
