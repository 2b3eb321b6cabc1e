import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { OperationEntry } from '../operations/operation-entry.ts';
import { tableHead } from '../ui/data-table.ts';
import { icon } from '../ui/icons.ts';
import { problemBox } from '../ui/problem.ts';
import { autostartList } from './autostart.ts';
import { createVmButtons, quickCreate } from './create-vm-buttons.ts';
import { hypervisorNote } from './hypervisor-note.ts';
import { VmElement } from './machine-element.ts';
import { pendingVms, sortVms } from './pending-rows.ts';
import { vmRow, pendingVmRow } from './rows.ts';

/** The list of machines, including those that an operation is creating. */
export class VmsPage extends VmElement {
  static override readonly properties: PropertyDeclarations = {
    ...VmElement.properties,
    isCreating: { state: true },
    busy: { state: true },
  };
  declare isCreating: boolean;
  /** UUID of the machine that a command is being sent to. */
  declare busy: string | null;

  constructor() {
    super();
    this.isCreating = false;
    this.busy = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // A query names the image for quick-create.
    if (new URLSearchParams(this.app.router.search).has('image')) this.isCreating = true;
  }

  protected override render(): TemplateResult {
    const { all: vms, isLoaded, problem, host } = this.vms;
    const making = pendingVms(this.signedIn.operations.all, vms);
    const isEmpty = vms.length + making.length === 0;
    const waiting = problem === null ? html`<p class="muted">${this.text.shell.loading}</p>` : nothing;
    return html`<div class="page-head">
        <h1>${this.words.title}</h1>
        ${isLoaded && this.app.canWrite ? this.#actions() : nothing}
      </div>
      ${hypervisorNote(host, this.words)} ${isLoaded ? nothing : problemBox(this.app, problem)}
      ${isLoaded ? (isEmpty ? this.#empty() : html`${this.#table(sortVms(vms), making)} ${autostartList(vms, { app: this.app, words: this.words })}`) : waiting}
      ${this.isCreating ? this.#dialog() : nothing}`;
  }

  #actions(): TemplateResult {
    return createVmButtons(this.app, this.words, () => (this.isCreating = true));
  }

  #empty(): TemplateResult {
    const { words } = this;
    return html`<section class="card empty">
      ${icon('machine')}
      <h2>${words.none}</h2>
      <p>${this.app.canWrite ? words.noneLead : words.noneViewer}</p>
    </section>`;
  }

  #table(vms: readonly Vm[], making: readonly OperationEntry[]): TemplateResult {
    const { words } = this;
    const context = {
      app: this.app,
      words,
      busy: this.busy,
      onStart: (vm: Vm) => void this.#start(vm),
    };
    return html`<div class="card">
      <table role="table" aria-label=${words.title}>
        ${tableHead([
          { label: words.name },
          { label: words.state },
          { label: words.cpus, kind: 'number' },
          { label: words.memory, kind: 'number' },
          { label: words.disks, kind: 'number' },
          { label: words.owner },
          { label: this.text.shell.actions, kind: 'act' },
        ])}
        <tbody role="rowgroup">
          ${repeat(
            making,
            ({ snapshot }) => snapshot.id,
            (entry) => pendingVmRow(entry, this.app),
          )}
          ${repeat(
            vms,
            ({ uuid }) => uuid,
            (vm) => vmRow(vm, context),
          )}
        </tbody>
      </table>
    </div>`;
  }

  #dialog(): TemplateResult {
    const imageId = Number(new URLSearchParams(this.app.router.search).get('image') ?? 0);
    return quickCreate(this.app, { imageId, onClosed: () => (this.isCreating = false) });
  }

  async #start({ id, uuid, name }: Vm): Promise<void> {
    if (id === null || this.busy !== null) return;
    this.busy = uuid;
    try {
      this.vms.put(await this.app.api.orderVm(id, 'start'));
      this.app.announcer.say(this.words.started(name));
    } catch (error) {
      this.app.showError(error);
    } finally {
      this.busy = null;
    }
  }
}
