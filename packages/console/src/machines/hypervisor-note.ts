import type { Host } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import type { VmsText } from './text/text.ts';

/** Names the packages to install when the host has no hypervisor. */
export function hypervisorNote(host: Host | null, words: VmsText): TemplateResult | typeof nothing {
  const missing = host?.hypervisor.missing ?? null;
  if (missing === null) return nothing;
  const { packages } = missing;
  return html`<section
    class="problem hypervisor-missing"
    aria-label=${words.host.missing}
    data-testid="hypervisor-missing"
  >
    ${icon('alert')}<strong>${words.host.missing}</strong> <span>${words.host.missingHint}</span>
    ${packages.length === 0 ? nothing : html`<code translate="no">apt install ${packages.join(' ')}</code>`}
  </section>`;
}
