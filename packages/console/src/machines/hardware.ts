import type { Vm, VmDisk } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { clockTime, count, size } from '../text/format.ts';
import { fact, section } from '../ui/facts.ts';
import { icon } from '../ui/icons.ts';
import type { MachinesText } from './text/text.ts';

/** What the page does when a button of these cards is pressed. */
export interface HardwareOrders {
  edit: () => void;
  addDisk: () => void;
  growDisk: (disk: VmDisk) => void;
  insert: () => void;
  eject: () => void;
}

export interface HardwareContext {
  app: App;
  words: MachinesText;
  machine: Vm;
  orders: HardwareOrders;
  /** Nothing can be ordered now, and why. */
  offReason: string | null;
}

type Part = TemplateResult | typeof nothing;

interface OrderButton {
  label: string;
  name?: string;
  run: () => void;
}

function orderButton({ label, name, run }: OrderButton, { offReason }: HardwareContext): TemplateResult {
  return html`<button
    class="button small"
    aria-label=${name ?? label}
    aria-disabled=${String(offReason !== null)}
    title=${offReason ?? ''}
    @click=${() => (offReason === null ? run() : undefined)}
  >
    ${label}
  </button>`;
}

/** CPUs, memory, network, and who owns it. */
export function hardwareOf(context: HardwareContext): TemplateResult {
  const { app, words, machine, orders } = context;
  const { locale } = app.preferences;
  const { network, bootOrder, ownerName, createdAt } = machine;
  const net = words.networks[network.kind] + (network.name === null ? '' : ` · ${network.name}`);
  const edit = orderButton(
    { label: words.settings.change, name: words.settings.title, run: orders.edit },
    context,
  );
  return section(
    words.hardware,
    html`<dl>
        ${fact(words.cpus, count(machine.cpus, locale))} ${fact(words.memory, size(machine.memoryBytes))}
        ${fact(words.network, net)}
        ${fact(words.mac, machine.macAddress === null ? null : html`<code translate="no">${machine.macAddress}</code>`)}
        ${fact(words.firmware, words.firmwares[machine.firmware])}
        ${fact(words.settings.bootOrder, bootOrder.map((device) => words.devices[device]).join(' → '))}
        ${fact(words.owner, ownerName === null ? null : html`<bdi translate="no">${ownerName}</bdi>`)}
        ${fact(words.created, createdAt === null ? null : clockTime(createdAt, locale))}
        ${fact(words.uuid, html`<code translate="no">${machine.uuid}</code>`)}
      </dl>
      ${machine.may.edit ? html`<p>${edit}</p>` : nothing}`,
  );
}

export function disksOf(context: HardwareContext): TemplateResult {
  const { words, machine, orders } = context;
  const { disksText: text } = words;
  const add = orderButton({ label: text.addVerb, name: text.add, run: orders.addDisk }, context);
  return section(
    words.disks,
    html`${machine.disks.length === 0 ? html`<p class="muted">${text.none}</p>` : nothing}
      <ul class="vm-disks">
        ${machine.disks.map((disk) => html`<li>${diskOf(disk, context)}</li>`)}
      </ul>
      ${machine.may.edit ? html`<p>${add}</p>` : nothing}`,
  );
}

function diskOf(disk: VmDisk, context: HardwareContext): TemplateResult {
  const { app, words, machine, orders } = context;
  const base = app.signedIn?.images.images.find(({ id }) => id === disk.base);
  const facts = [size(disk.sizeBytes), disk.format ?? ''].filter((part) => part !== '').join(' · ');
  return html`${icon('disk')}<span
      ><bdi translate="no">${disk.name}</bdi
      ><span class="muted"
        >${facts}${base === undefined ? nothing : html` · ${words.disksText.on} <bdi translate="no">${base.name}</bdi>`}</span
      ></span
    >
    ${
      machine.may.edit
        ? orderButton(
            {
              label: words.disksText.growVerb,
              name: words.disksText.growNamed(disk.name),
              run: () => orders.growDisk(disk),
            },
            context,
          )
        : nothing
    }`;
}

export function driveOf(context: HardwareContext): Part {
  const { words, machine, orders } = context;
  const { disc: text } = words;
  const { cdrom, may } = machine;
  if (machine.foreign) return nothing;
  const insert = orderButton(
    { label: cdrom === null ? text.insertVerb : text.change, run: orders.insert },
    context,
  );
  const eject = orderButton({ label: text.eject, run: orders.eject }, context);
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
