import type { Vm, VmAutostart } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { vmPageOf } from '../app/router.ts';
import { count } from '../text/format.ts';
import { fact, section } from '../ui/facts.ts';
import { actionButton } from './hardware.ts';
import type { HardwareContext } from './hardware.ts';
import type { VmsText } from './text/text.ts';

/** Whether and when the machine starts after a boot of the host. */
export function autostartOf(context: HardwareContext): TemplateResult | typeof nothing {
  const { app, vm, commands } = context;
  const text = context.words.autostart;
  if (vm.autostart === null) return nothing;
  const { enabled, order, delaySeconds } = vm.autostart;
  const { locale } = app.preferences;
  const change = actionButton(
    { label: text.change, name: text.changeNamed, run: commands.autostart },
    context,
  );
  return section(
    text.title,
    html`<dl>
        ${fact(text.state, enabled ? text.on : text.off)}
        ${enabled ? fact(text.order, count(order, locale)) : nothing}
        ${enabled ? fact(text.delay, text.seconds(count(delaySeconds, locale))) : nothing}
      </dl>
      ${vm.may.autostart ? html`<p>${change}</p>` : nothing}`,
  );
}

type Starting = Vm & { autostart: VmAutostart };

/** The machines that start with the host, in their order. */
export function autostartList(
  vms: readonly Vm[],
  { app, words }: { app: App; words: VmsText },
): TemplateResult | typeof nothing {
  const text = words.autostart;
  const starting = vms
    .filter((vm): vm is Starting => vm.autostart?.enabled === true)
    .toSorted((a, b) => a.autostart.order - b.autostart.order || (a.id ?? 0) - (b.id ?? 0));
  if (starting.length === 0) return nothing;
  const item = ({ id, name, autostart: { delaySeconds } }: Starting): TemplateResult => {
    const delay = text.seconds(count(delaySeconds, app.preferences.locale));
    return html`<li>
      <a href=${vmPageOf(id ?? 0)} @click=${app.router.onLink}><bdi translate="no">${name}</bdi></a>
      ${delaySeconds === 0 ? nothing : html`<span class="muted">${text.after(delay)}</span>`}
    </li>`;
  };
  return section(
    text.title,
    html`<p class="muted">${text.list}</p>
      <ol class="autostart-list">
        ${starting.map(item)}
      </ol>`,
  );
}
