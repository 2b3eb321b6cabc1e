import { workerData } from 'node:worker_threads';

/**
 * The files from which koffi is looked for: this one (in a bundle: the bundle) and the program. The
 * working directory is not among them, because native code must come from the program and not from its input.
 */
export function moduleBases(): string[] {
  const data: unknown = workerData;
  const given =
    typeof data === 'object' && data !== null && 'wccModuleBases' in data ? data.wccModuleBases : [];
  const own = [import.meta.url, process.argv[1]];
  const bases = [...(Array.isArray(given) ? given : []), ...own];
  return bases.filter((base): base is string => typeof base === 'string' && /^(file:|\/)/.test(base));
}
