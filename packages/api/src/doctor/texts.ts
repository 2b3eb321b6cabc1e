/** State of a check. `skipped`: it does not apply here, or it cannot be known; the text says which. */
export type DoctorState = 'ok' | 'warning' | 'failed' | 'skipped';

/** One possible result of a check. Texts contain parameters as `{name}`, see `fillDoctorText`. */
export interface DoctorText {
  readonly state: DoctorState;
  readonly found: string;
  /** What to do about this cause; null if there is nothing to do. */
  readonly advice: string | null;
}

const text =
  (state: DoctorState) =>
  (found: string, advice: string | null = null): DoctorText => ({ state, found, advice });

export const ok: (found: string) => DoctorText = text('ok');
export const warning: (found: string, advice: string) => DoctorText = text('warning');
export const failed: (found: string, advice: string) => DoctorText = text('failed');
export const skipped: (found: string, advice?: string) => DoctorText = text('skipped');
