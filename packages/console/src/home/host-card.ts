import type { Host } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import type { VmsState } from '../machines/machines-state.ts';
import type { VmsText } from '../machines/text/text.ts';
import { count, size } from '../text/format.ts';
import { section } from '../ui/facts.ts';
import { icon } from '../ui/icons.ts';
import { usageMeter } from '../ui/usage-meter.ts';
import { hypervisorWords } from './first-run.ts';

/** Hypervisor, CPUs and free memory of the host. */
export function hostCard(app: App, { host }: VmsState, words: VmsText): TemplateResult | typeof nothing {
  if (host === null) return nothing;
  const { host: text } = words;
  const { missing } = host.hypervisor;
  return section(
    text.title,
    html`${missing === null ? ready(host, words) : missingOf(missing.packages, words)}
      <dl>
        <div>
          <dt>${words.cpus}</dt>
          <dd>${count(host.cpus, app.preferences.locale)}</dd>
        </div>
        <div>
          <dt>${words.memory}</dt>
          <dd>${memoryOf(host, words)}</dd>
        </div>
      </dl>`,
  );
}

function ready(host: Host, words: VmsText): TemplateResult {
  const isSlow = host.hypervisor.acceleration === 'tcg';
  return html`<p class="host-state good">${icon('check')}<span>${hypervisorWords(words, host)}</span></p>
    ${isSlow ? html`<p class="muted small">${words.host.slow}</p>` : nothing}`;
}

function missingOf(packages: readonly string[], { host: text }: VmsText): TemplateResult {
  return html`<p class="host-state bad">${icon('alert')}<span>${text.missing}</span></p>
    <p class="muted small">${text.missingHint}</p>
    ${packages.length === 0 ? nothing : html`<code translate="no">apt install ${packages.join(' ')}</code>`}`;
}

function memoryOf({ memoryBytes, freeMemoryBytes }: Host, { host: text }: VmsText): TemplateResult {
  const words = text.freeOf(size(freeMemoryBytes), size(memoryBytes));
  const usage = { freeBytes: freeMemoryBytes, totalBytes: memoryBytes, label: text.memory, text: words };
  return html`${usageMeter(usage)}<span>${words}</span>`;
}
