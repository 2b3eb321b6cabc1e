import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { size } from '../text/format.ts';
import type { CreateNeeds } from './create/form.ts';
import type { VmsText } from './text/text.ts';

/** Required and free disk space and memory. */
export function needsFacts(needs: CreateNeeds, words: VmsText): TemplateResult {
  const { needs: text } = words;
  const { diskBytes, maxDiskBytes, freeDiskBytes, memoryBytes, freeMemoryBytes } = needs;
  const isDiskShort = freeDiskBytes !== null && diskBytes > freeDiskBytes;
  const isMemoryShort = freeMemoryBytes !== null && memoryBytes > freeMemoryBytes;
  const ofFree = (need: string, free: number | null): string =>
    free === null ? need : text.ofFree(need, size(free));
  return html`<dl class="facts" aria-label=${text.title}>
    <dt>${text.disk}</dt>
    <dd>${ofFree(diskBytes === 0 ? text.almostNothing : size(diskBytes), freeDiskBytes)}</dd>
    ${isDiskShort ? html`<dd class="wide bad">${text.diskShort}</dd>` : nothing}
    ${
      maxDiskBytes > diskBytes
        ? html`<dt>${text.grows}</dt>
            <dd>${size(maxDiskBytes)}</dd>`
        : nothing
    }
    <dt>${text.memory}</dt>
    <dd>${ofFree(size(memoryBytes), freeMemoryBytes)}</dd>
    ${isMemoryShort ? html`<dd class="wide bad">${text.memoryShort}</dd>` : nothing}
  </dl>`;
}
