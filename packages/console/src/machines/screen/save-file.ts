import { readProblem } from '@wcc/api/client';
import type { App } from '../../app/app.ts';

/** Saves a small answer of the API as a file. A plain link could not send the page key. */
export async function saveFile(app: App, { path, name }: { path: string; name: string }): Promise<void> {
  const response = await app.fetch(path);
  if (!response.ok) throw await readProblem(response);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The click has started the download before this timer fires.
  setTimeout(() => URL.revokeObjectURL(url));
}
