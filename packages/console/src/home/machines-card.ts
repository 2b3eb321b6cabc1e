import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { App } from '../app/app.ts';
import { vmPageOf, pagePaths } from '../app/router.ts';
import type { VmsState } from '../machines/machines-state.ts';
import { sortVms } from '../machines/pending-rows.ts';
import { vmStateBadge } from '../machines/state-badge.ts';
import type { VmsText } from '../machines/text/text.ts';
import { section } from '../ui/facts.ts';

const maxCount = 6;

/** The first few machines and their states. */
export function vmsCard(
  { router }: App,
  { all: vms, isLoaded }: VmsState,
  words: VmsText,
): TemplateResult | typeof nothing {
  if (!isLoaded) return nothing;
  const own = sortVms(vms).filter(({ foreign }) => !foreign);
  const row = (vm: Vm): TemplateResult =>
    html`<li>
      <a href=${vmPageOf(vm.id ?? 0)} @click=${router.onLink}><bdi translate="no">${vm.name}</bdi></a
      >${vmStateBadge(vm, words)}
    </li>`;
  return section(
    words.title,
    own.length === 0
      ? html`<p class="muted">${words.none}</p>`
      : html`<ul class="vm-list">
            ${repeat(
              own.slice(0, maxCount),
              ({ uuid }) => uuid,
              (vm) => row(vm),
            )}
          </ul>
          <p><a href=${pagePaths.vms} @click=${router.onLink}>${words.back}</a></p>`,
  );
}
