import type { DoctorCheck, DoctorCheckId, DoctorCode, DoctorParameters } from '@wcc/api';
import { doctorChecks, doctorFindings, fillDoctorText } from '@wcc/api';

/** The result of a check. Its state and its texts follow from the code. */
export interface Finding {
  code: DoctorCode;
  parameters: DoctorParameters;
}

export function finding(code: DoctorCode, parameters: DoctorParameters = {}): Finding {
  return { code, parameters };
}

export function toCheck(id: DoctorCheckId, { code, parameters }: Finding): DoctorCheck {
  const { state, found, advice } = doctorFindings[code];
  const fill = (text: string): string => fillDoctorText(text, parameters);
  return {
    id,
    title: doctorChecks[id],
    state,
    code,
    parameters: { ...parameters },
    found: fill(found),
    advice: advice === null ? null : fill(advice),
  };
}

/** The first line of a reason: an errno name, or a message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
  return error.message.split('\n', 1)[0] ?? error.name;
}
