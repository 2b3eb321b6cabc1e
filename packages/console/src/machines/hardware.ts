import type { Vm, VmDisk } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { clockTime, count, size } from '../text/format.ts';
import { fact, section } from '../ui/facts.ts';
import { icon } from '../ui/icons.ts';
import type { VmsText } from './text/text.ts';

/** Handlers of the buttons on the hardware cards. */
export interface HardwareActions {
  edit: () => void;
  autostart: () => void;
  addDisk: () => void;
  growDisk: (disk: VmDisk) => void;
  insert: () => void;
  eject: () => void;
}

export interface HardwareContext {
  app: App;
  words: VmsText;
  vm: Vm;
  commands: HardwareActions;
  /** Why no command is possible now; `null` when commands are possible. */
  disabledReason: string | null;
}

type Part = TemplateResult | typeof nothing;

interface ActionButton {
  label: string;
  name?: string;
  run: () => void;
}

export function actionButton(
  { label, name, run }: ActionButton,
  { disabledReason }: HardwareContext,
): TemplateResult {
  return html`<button
    class="button small"
    aria-label=${name ?? label}
    aria-disabled=${String(disabledReason !== null)}
    title=${disabledReason ?? ''}
    @click=${() => (disabledReason === null ? run() : undefined)}
  >
    ${label}
  </button>`;
}

/** CPUs, memory, network and owner. */
export function hardwareOf(context: HardwareContext): TemplateResult {
  const { app, words, vm, commands } = context;
  const { locale } = app.preferences;
  const { network, bootOrder, ownerName, createdAt } = vm;
  const net = words.networks[network.kind] + (network.name === null ? '' : ` · ${network.name}`);
  const edit = actionButton(
    { label: words.settings.change, name: words.settings.title, run: commands.edit },
    context,
  );
  return section(
    words.hardware,
    html`<dl>
        ${fact(words.cpus, count(vm.cpus, locale))} ${fact(words.memory, size(vm.memoryBytes))}
        ${fact(words.network, net)}
        ${fact(words.mac, vm.macAddress === null ? null : html`<code translate="no">${vm.macAddress}</code>`)}
        ${fact(words.firmware, words.firmwares[vm.firmware])}
        ${fact(words.cdBus, vm.cdBus === null ? null : words.cdBuses[vm.cdBus])}
        ${fact(words.settings.bootOrder, bootOrder.map((device) => words.devices[device]).join(' → '))}
        ${fact(words.owner, ownerName === null ? null : html`<bdi translate="no">${ownerName}</bdi>`)}
        ${fact(words.created, createdAt === null ? null : clockTime(createdAt, app.times))}
        ${fact(words.uuid, html`<code translate="no">${vm.uuid}</code>`)}
      </dl>
      ${vm.may.edit ? html`<p>${edit}</p>` : nothing}`,
  );
}

export function disksOf(context: HardwareContext): TemplateResult {
  const { words, vm, commands } = context;
  const { disksText: text } = words;
  const add = actionButton({ label: text.addVerb, name: text.add, run: commands.addDisk }, context);
  return section(
    words.disks,
    html`${vm.disks.length === 0 ? html`<p class="muted">${text.none}</p>` : nothing}
      <ul class="vm-disks">
        ${vm.disks.map((disk) => html`<li>${diskOf(disk, context)}</li>`)}
      </ul>
      ${vm.may.edit ? html`<p>${add}</p>` : nothing}`,
  );
}

function diskOf(disk: VmDisk, context: HardwareContext): TemplateResult {
  const { app, words, vm, commands } = context;
  const base = app.signedIn?.images.all.find(({ id }) => id === disk.base);
  const facts = [size(disk.sizeBytes), disk.format ?? ''].filter((part) => part !== '').join(' · ');
  return html`${icon('disk')}<span
      ><bdi translate="no">${disk.name}</bdi
      ><span class="muted"
        >${facts}${base === undefined ? nothing : html` · ${words.disksText.on} <bdi translate="no">${base.name}</bdi>`}</span
      ></span
    >
    ${
      vm.may.edit
        ? actionButton(
            {
              label: words.disksText.growVerb,
              name: words.disksText.growNamed(disk.name),
              run: () => commands.growDisk(disk),
            },
            context,
          )
        : nothing
    }`;
}

export function driveOf(context: HardwareContext): Part {
  const { words, vm, commands } = context;
  const { disc: text } = words;
  const { cdrom, may } = vm;
  if (vm.foreign) return nothing;
  const insert = actionButton(
    { label: cdrom === null ? text.insertVerb : text.change, run: commands.insert },
    context,
  );
  const eject = actionButton({ label: text.eject, run: commands.eject }, context);
  return section(
    text.drive,
    html`<div class="vm-drive">
      ${icon('disc')}<span
        >${cdrom === null ? html`<span class="muted">${text.empty}</span>` : html`<bdi translate="no">${cdrom.name}</bdi>`}</span
      >
      ${may.cdrom ? html`<span class="end">${insert} ${cdrom === null ? nothing : eject}</span>` : nothing}
    </div>`,
  );
}
