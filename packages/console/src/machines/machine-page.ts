import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { machinePageOf, pagePaths } from '../app/router.ts';
import { liveRow } from '../operations/live-row.ts';
import type { OperationEntry } from '../operations/operation-entry.ts';
import type { Emitter } from '../ui/emitter.ts';
import { icon } from '../ui/icons.ts';
import { problemBox } from '../ui/problem.ts';
import { segmentField } from '../ui/segments.ts';
import { machineActions } from './actions.ts';
import type { MachineOrder } from './actions.ts';
import { machineDialog } from './dialogs.ts';
import type { MachineDialogWish } from './dialogs.ts';
import { disksOf, driveOf, hardwareOf } from './hardware.ts';
import type { HardwareContext } from './hardware.ts';
import { MachinePart } from './machine-element.ts';
import { madeMachineOf } from './pending-rows.ts';
import { machineState } from './state-badge.ts';

type Verb = 'start' | 'shutdown' | 'power-off' | 'reset';

/** One machine: its state and what can be done with it, its screen, its parts, and its past. */
export class MachinePage extends MachinePart {
  static override readonly properties: PropertyDeclarations = {
    ...MachinePart.properties,
    wish: { state: true },
    isBusy: { state: true },
    view: { state: true },
  };
  /** The dialog that is open. */
  declare wish: MachineDialogWish | null;
  declare isBusy: boolean;
  declare view: 'screen' | 'serial';

  constructor() {
    super();
    this.wish = null;
    this.isBusy = false;
    this.view = 'screen';
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.app.router.changed];
  }

  get #machine(): Vm | undefined {
    const { machineId } = this.app.router;
    return machineId === null ? undefined : this.machines.get(machineId);
  }

  protected override render(): TemplateResult {
    const machine = this.#machine;
    const back = html`<a class="back" href=${pagePaths.machines} @click=${this.app.router.onLink}
      >${icon('back')}${this.words.back}</a
    >`;
    if (machine === undefined) return html`${back} ${this.#missing()}`;
    const { wish } = this;
    return html`${back}
      <div class="page-head vm-head">
        <div>
          <h1><bdi translate="no">${machine.name}</bdi><span class="id">#${machine.id}</span></h1>
          ${machineState(machine, this.words)}
        </div>
        ${machineActions({
          machine,
          words: this.words,
          offReason: this.#offReason,
          onOrder: (order) => this.#onOrder(order, machine),
        })}
      </div>
      ${this.#operation(machine)} ${this.#whole(machine)}
      ${
        wish === null
          ? nothing
          : machineDialog(
              this.app,
              { machine, wish },
              {
                onClosed: () => (this.wish = null),
                onDeleted: () => this.app.router.go(pagePaths.machines),
                onCopied: (id) => (id === null ? undefined : this.app.router.go(machinePageOf(id))),
              },
            )
      }`;
  }

  get #offReason(): string | null {
    if (!this.signedIn.connection.isOnline) return this.text.shell.disabledOffline;
    return this.isBusy ? this.words.busy : null;
  }

  /** What does not exist and what may not be seen are told apart by nobody. */
  #missing(): TemplateResult {
    const { isLoaded, problem } = this.machines;
    const maker = this.#openMaker();
    if (maker !== undefined)
      return html`<div class="page-head">
          <h1><bdi translate="no">${madeMachineOf(maker.snapshot)}</bdi></h1>
        </div>
        <div class="card operation-card">${liveRow(this.app, maker.snapshot.id)}</div>`;
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

  /** A machine that is not there yet, or came to nothing: its operation says why. One that was made is gone. */
  #openMaker(): OperationEntry | undefined {
    const { machineId } = this.app.router;
    return this.signedIn.operations.all.find(({ snapshot, isHistory }) => {
      const made = snapshot.target?.kind === 'vm' ? snapshot.target : snapshot.subject;
      if (isHistory || snapshot.state === 'succeeded' || madeMachineOf(snapshot) === null) return false;
      return made.kind === 'vm' && made.id === machineId;
    });
  }

  #operation({ operation }: Vm): TemplateResult | typeof nothing {
    if (operation === null) return nothing;
    const row = liveRow(this.app, operation);
    return row === nothing ? nothing : html`<div class="card operation-card">${row}</div>`;
  }

  #whole(machine: Vm): TemplateResult {
    const context: HardwareContext = {
      app: this.app,
      words: this.words,
      machine,
      offReason: this.#offReason,
      orders: {
        edit: () => (this.wish = { kind: 'settings' }),
        addDisk: () => (this.wish = { kind: 'disk', disk: null }),
        growDisk: (disk) => (this.wish = { kind: 'disk', disk }),
        insert: () => (this.wish = { kind: 'disc' }),
        eject: () => void this.#order(machine, async (id) => this.app.api.setCdrom(id, { image: null })),
      },
    };
    return html`<div class="operation-grid vm-grid">
      <div>
        ${this.#views(machine)}
        <wcc-machine-operations .app=${this.app} .machine=${machine.id}></wcc-machine-operations>
      </div>
      <div>${hardwareOf(context)} ${disksOf(context)} ${driveOf(context)}</div>
    </div>`;
  }

  #views(machine: Vm): TemplateResult | typeof nothing {
    const { words } = this;
    if (machine.state === 'making') return nothing;
    const screen = html`<wcc-machine-screen .app=${this.app} .machine=${machine}></wcc-machine-screen>`;
    const serial = html`<wcc-serial-view .app=${this.app} .machine=${machine}></wcc-serial-view>`;
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
      ${this.view === 'screen' || !machine.may.serial ? screen : serial}
    </section>`;
  }

  #onOrder(order: MachineOrder, machine: Vm): void {
    if (order === 'copy' || order === 'delete') this.wish = { kind: order };
    else if (order === 'start') void this.#order(machine, (id) => this.app.api.orderVm(id, 'start'));
    else this.#ask(order, machine);
  }

  #ask(verb: Exclude<Verb, 'start'>, machine: Vm): void {
    const { questions, orders } = this.words;
    this.wish = {
      kind: 'ask',
      question: {
        title: questions[verb].title(machine.name),
        text: questions[verb].words,
        verb: orders[verb],
        isDanger: verb !== 'shutdown',
        run: async () => {
          this.machines.put(await this.app.api.orderVm(machine.id ?? 0, verb));
          this.app.announcer.say(this.words.ordered[verb](machine.name));
        },
      },
    };
  }

  async #order({ id }: Vm, run: (id: number) => Promise<Vm>): Promise<void> {
    if (id === null || this.isBusy) return;
    this.isBusy = true;
    try {
      const machine = await run(id);
      this.machines.put(machine);
    } catch (error) {
      this.app.showError(error);
    } finally {
      this.isBusy = false;
    }
  }
}
