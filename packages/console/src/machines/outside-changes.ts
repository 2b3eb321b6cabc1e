import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import type { VmsText } from './text/text.ts';

export interface OutsideChangesContext {
  vm: Vm;
  words: VmsText;
  /** Why no command is possible now; `null` when commands are possible. */
  disabledReason: string | null;
  onAdopt: () => void;
}

/** What another program changed in the hypervisor, with the way out. */
export function outsideChanges(context: OutsideChangesContext): TemplateResult | typeof nothing {
  const { vm, words, disabledReason, onAdopt } = context;
  const { changes } = words;
  const { changedOutside } = vm;
  if (changedOutside.length === 0) return nothing;
  const hasDisks = changedOutside.some(({ setting }) => setting === 'disks');
  const fixed = hasDisks ? changes.snapshotLead : changes.undoLead;
  const isAdoptable = changedOutside.every(({ canAdopt }) => canAdopt);
  return html`<section class="problem" aria-label=${changes.title} data-testid="changed-outside">
    ${icon('alert')}<strong>${changes.title}</strong>
    <span>${changes.lead} ${isAdoptable ? changes.adoptLead : fixed}</span>
    ${
      hasDisks
        ? html`<code translate="no">virsh blockcommit ${vm.uuid} vda --active --pivot --delete</code>`
        : nothing
    }
    <ul>
      ${changedOutside.map(({ setting, ...values }) => html`<li>${changes.line(changes.settings[setting], values)}</li>`)}
    </ul>
    ${
      vm.may.adopt
        ? html`<p>
            <button
              class="button"
              aria-disabled=${String(disabledReason !== null)}
              title=${disabledReason ?? words.commandHints.adopt}
              @click=${() => (disabledReason === null ? onAdopt() : undefined)}
            >
              ${words.commands.adopt}
            </button>
          </p>`
        : nothing
    }
  </section>`;
}
