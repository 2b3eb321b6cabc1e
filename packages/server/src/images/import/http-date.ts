const day = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const time = '\\d\\d:\\d\\d:\\d\\d';
const httpDates = [
  new RegExp(`^${day}, \\d\\d [A-Z][a-z]{2} \\d{4} ${time} GMT$`),
  // The two obsolete forms, which a recipient must accept (section 5.6.7).
  new RegExp(`^${day}[a-z]{3,6}, \\d\\d-[A-Z][a-z]{2}-\\d\\d ${time} GMT$`),
  new RegExp(`^${day} [A-Z][a-z]{2} [ \\d]\\d ${time} \\d{4}$`),
];

/** Milliseconds since 1970; null for anything but an HTTP date. */
export function parseHttpDate(header: string | undefined): number | null {
  const text = header?.trim() ?? '';
  if (!httpDates.some((form) => form.test(text))) return null;
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(ms) ? null : ms;
}
