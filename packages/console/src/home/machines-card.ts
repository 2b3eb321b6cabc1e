import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { App } from '../app/app.ts';
import { machinePageOf, pagePaths } from '../app/router.ts';
import type { MachinesState } from '../machines/machines-state.ts';
import { sortMachines } from '../machines/pending-rows.ts';
import { machineState } from '../machines/state-badge.ts';
import type { MachinesText } from '../machines/text/text.ts';
import { section } from '../ui/facts.ts';

const maxCount = 6;

/** The first few machines and their states. */
export function machinesCard(
  { router }: App,
  { machines, isLoaded }: MachinesState,
  words: MachinesText,
): TemplateResult | typeof nothing {
  if (!isLoaded) return nothing;
  const own = sortMachines(machines).filter(({ foreign }) => !foreign);
  const row = (machine: Vm): TemplateResult =>
    html`<li>
      <a href=${machinePageOf(machine.id ?? 0)} @click=${router.onLink}
        ><bdi translate="no">${machine.name}</bdi></a
      >${machineState(machine, words)}
    </li>`;
  return section(
    words.title,
    own.length === 0
      ? html`<p class="muted">${words.none}</p>`
      : html`<ul class="vm-list">
            ${repeat(
              own.slice(0, maxCount),
              ({ uuid }) => uuid,
              (machine) => row(machine),
            )}
          </ul>
          <p><a href=${pagePaths.machines} @click=${router.onLink}>${words.back}</a></p>`,
  );
}
