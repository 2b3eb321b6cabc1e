import { routes } from '@wcc/api';
import type { Vm } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';

/** Saves a screenshot as a file. */
export async function saveScreenshot({ id, name }: Vm): Promise<void> {
  const response = await fetch(routes.vmScreenshot(id ?? 0));
  if (!response.ok)
    throw new ApiProblem((await response.json()) as ConstructorParameters<typeof ApiProblem>[0]);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name}.png`;
  link.click();
  // The click has started the download before this timer fires.
  setTimeout(() => URL.revokeObjectURL(url));
}
