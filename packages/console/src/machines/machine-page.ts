import type { Vm, VmId } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { vmPageOf, pagePaths } from '../app/router.ts';
import { liveRow } from '../operations/live-row.ts';
import type { OperationEntry } from '../operations/operation-entry.ts';
import type { Emitter } from '../ui/emitter.ts';
import { icon } from '../ui/icons.ts';
import { problemBox } from '../ui/problem.ts';
import { segmentField } from '../ui/segments.ts';
import { vmActions } from './actions.ts';
import type { VmCommand } from './actions.ts';
import { autostartOf } from './autostart.ts';
import { vmDialog } from './dialogs.ts';
import type { OpenVmDialog } from './dialogs.ts';
import { disksOf, driveOf, hardwareOf } from './hardware.ts';
import type { HardwareContext } from './hardware.ts';
import { VmElement } from './machine-element.ts';
import { outsideChanges } from './outside-changes.ts';
import { createdVmName } from './pending-rows.ts';
import { vmStateBadge } from './state-badge.ts';

type Asked = 'shutdown' | 'power-off' | 'reset' | 'discard-saved-state';

/** State, commands, screen, hardware and history of one machine. */
export class VmPage extends VmElement {
  static override readonly properties: PropertyDeclarations = {
    ...VmElement.properties,
    dialog: { state: true },
    isBusy: { state: true },
    view: { state: true },
  };
  /** The dialog that is open. */
  declare dialog: OpenVmDialog | null;
  declare isBusy: boolean;
  declare view: 'screen' | 'serial';

  constructor() {
    super();
    this.dialog = null;
    this.isBusy = false;
    this.view = 'screen';
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.app.router.changed];
  }

  get #vm(): Vm | undefined {
    const { vmId } = this.app.router;
    return vmId === null ? undefined : this.vms.get(vmId);
  }

  protected override render(): TemplateResult {
    const vm = this.#vm;
    const back = html`<a class="back" href=${pagePaths.vms} @click=${this.app.router.onLink}
      >${icon('back')}${this.words.back}</a
    >`;
    if (vm === undefined) return html`${back} ${this.#missing()}`;
    const { dialog } = this;
    return html`${back}
      <div class="page-head vm-head">
        <div>
          <h1><bdi translate="no">${vm.name}</bdi><span class="id">#${vm.id}</span></h1>
          ${vmStateBadge(vm, this.words)}
        </div>
        ${vmActions({
          vm,
          words: this.words,
          disabledReason: this.#disabledReason,
          onCommand: (order) => this.#onCommand(order, vm),
        })}
      </div>
      ${outsideChanges({
        vm,
        words: this.words,
        disabledReason: this.#disabledReason,
        onAdopt: () => this.#onCommand('adopt', vm),
      })}
      ${this.#operation(vm)} ${this.#whole(vm)}
      ${
        dialog === null
          ? nothing
          : vmDialog(
              this.app,
              { vm, dialog },
              {
                onClosed: () => (this.dialog = null),
                onDeleted: () => this.app.router.go(pagePaths.vms),
                onCopied: (id) => (id === null ? undefined : this.app.router.go(vmPageOf(id))),
              },
            )
      }`;
  }

  get #disabledReason(): string | null {
    if (!this.signedIn.connection.isOnline) return this.text.shell.disabledOffline;
    return this.isBusy ? this.words.busy : null;
  }

  /** The same text for a machine that does not exist and one that the user may not see. */
  #missing(): TemplateResult {
    const { isLoaded, problem } = this.vms;
    const creator = this.#openCreator();
    if (creator !== undefined)
      return html`<div class="page-head">
          <h1><bdi translate="no">${createdVmName(creator.snapshot)}</bdi></h1>
        </div>
        <div class="card operation-card">${liveRow(this.app, creator.snapshot.id)}</div>`;
    if (!isLoaded)
      return problem === null
        ? html`<p class="muted">${this.text.shell.loading}</p>`
        : html`${problemBox(this.app, problem)}`;
    return html`<section class="card empty">
      ${icon('machine')}
      <h2>${this.words.notFound}</h2>
      <p>${this.words.notFoundHint}</p>
    </section>`;
  }

  /** The operation that is creating this machine, or failed to. After a success the machine was deleted. */
  #openCreator(): OperationEntry | undefined {
    const { vmId } = this.app.router;
    return this.signedIn.operations.all.find(({ snapshot, isHistory }) => {
      const made = snapshot.target?.kind === 'vm' ? snapshot.target : snapshot.subject;
      if (isHistory || snapshot.state === 'succeeded' || createdVmName(snapshot) === null) return false;
      return made.kind === 'vm' && made.id === vmId;
    });
  }

  #operation({ operation }: Vm): TemplateResult | typeof nothing {
    if (operation === null) return nothing;
    const row = liveRow(this.app, operation);
    return row === nothing ? nothing : html`<div class="card operation-card">${row}</div>`;
  }

  #whole(vm: Vm): TemplateResult {
    const context: HardwareContext = {
      app: this.app,
      words: this.words,
      vm,
      disabledReason: this.#disabledReason,
      commands: {
        edit: () => (this.dialog = { kind: 'settings' }),
        autostart: () => (this.dialog = { kind: 'autostart' }),
        addDisk: () => (this.dialog = { kind: 'disk', disk: null }),
        growDisk: (disk) => (this.dialog = { kind: 'disk', disk }),
        insert: () => (this.dialog = { kind: 'disc' }),
        eject: () => void this.#send(vm, async (id) => this.app.api.setCdrom(id, { image: null })),
      },
    };
    return html`<div class="operation-grid vm-grid">
      <div>
        ${this.#views(vm)}
        <wcc-machine-operations .app=${this.app} .vm=${vm.id}></wcc-machine-operations>
      </div>
      <div>${hardwareOf(context)} ${disksOf(context)} ${driveOf(context)} ${autostartOf(context)}</div>
    </div>`;
  }

  #views(vm: Vm): TemplateResult | typeof nothing {
    const { words } = this;
    if (vm.state === 'making') return nothing;
    const screen = html`<wcc-machine-screen .app=${this.app} .vm=${vm}></wcc-machine-screen>`;
    const serial = html`<wcc-serial-view .app=${this.app} .vm=${vm}></wcc-serial-view>`;
    return html`<section class="card vm-view" aria-label=${words.screen}>
      <div class="vm-views">
        ${segmentField({
          name: 'vm-view',
          label: words.view,
          isLabelHidden: true,
          value: this.view,
          choices: [
            { value: 'screen', label: words.screen },
            { value: 'serial', label: words.serial },
          ],
          change: (view) => (this.view = view),
        })}
      </div>
      ${this.view === 'screen' || !vm.may.serial ? screen : serial}
    </section>`;
  }

  #onCommand(order: VmCommand, vm: Vm): void {
    if (order === 'copy' || order === 'delete') this.dialog = { kind: order };
    else if (order === 'start') void this.#send(vm, (id) => this.app.api.orderVm(id, order));
    else if (order === 'adopt') void this.#send(vm, (id) => this.#adopt(id));
    else this.#ask(order, vm);
  }

  async #adopt(id: VmId): Promise<Vm> {
    const vm = await this.app.api.orderVm(id, 'adopt');
    this.app.announcer.say(this.words.changes.adopted);
    return vm;
  }

  #ask(verb: Asked, vm: Vm): void {
    const { questions, commands } = this.words;
    this.dialog = {
      kind: 'ask',
      question: {
        title: questions[verb].title(vm.name),
        text: questions[verb].words,
        verb: commands[verb],
        isDanger: verb !== 'shutdown',
        run: async () => {
          this.vms.put(await this.app.api.orderVm(vm.id ?? 0, verb));
          this.app.announcer.say(this.words.commandSent[verb](vm.name));
        },
      },
    };
  }

  async #send({ id }: Vm, run: (id: VmId) => Promise<Vm>): Promise<void> {
    if (id === null || this.isBusy) return;
    this.isBusy = true;
    try {
      const vm = await run(id);
      this.vms.put(vm);
    } catch (error) {
      this.app.showError(error);
    } finally {
      this.isBusy = false;
    }
  }
}
