import { routes } from '@wcc/api';
import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import type { App } from '../../app/app.ts';
import { openScreenParam } from '../../app/router.ts';
import { ConsoleElement } from '../../ui/console-element.ts';
import type { Emitter } from '../../ui/emitter.ts';
import { icon } from '../../ui/icons.ts';
import { problemBox } from '../../ui/problem.ts';
import { vmsTextOf } from '../text/catalogue.ts';
import type { VmsText } from '../text/text.ts';
import { MachineLink } from './link.ts';
import type { ViewerEvents } from './link.ts';
import { probeSocket } from './probe.ts';
import { saveFile } from './save-file.ts';
import { openViewer } from './vnc-viewer.ts';
import type { VncViewer } from './vnc-viewer.ts';

/**
 * The live screen of a machine, with keyboard and pointer for users who may use them. Keys go to a running
 * machine while the screen has the focus. The bar says so, and names the key to leave (WCAG 2.1.2).
 */
export class VmScreen extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    vm: { attribute: false },
    isSaving: { state: true },
    hasKeys: { state: true },
  };
  declare vm: Vm;
  declare isSaving: boolean;
  /** Whether keys go to the machine. */
  declare hasKeys: boolean;
  /** The screen takes the focus as soon as it is connected. */
  #wantsFocus = false;
  #link: MachineLink<VncViewer> | null = null;

  constructor() {
    super();
    this.isSaving = false;
    this.hasKeys = false;
  }

  get #acceptsKeys(): boolean {
    // A key wakes a guest that sleeps.
    return this.vm.may.input && (this.vm.state === 'running' || this.vm.state === 'suspended');
  }

  get #text(): VmsText['screenText'] {
    return vmsTextOf(this.app.preferences).screenText;
  }

  get #viewer(): VncViewer | null {
    return this.#link?.viewer ?? null;
  }

  get #session(): MachineLink<VncViewer> {
    this.#link ??= new MachineLink({
      ticket: async (signal) => (await this.app.api.screenTicket(this.vm.id ?? 0, signal)).ticket,
      open: (ticket, events) => this.#open(ticket, events),
      probe: (signal) => probeSocket(this.app, routes.vmScreen(this.vm.id ?? 0), signal),
    });
    return this.#link;
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.#session.changed, this.signedIn.connection.changed];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Does not wait for a machine that is off.
    this.#wantsFocus = this.vm.may.screen && new URLSearchParams(this.app.router.search).has(openScreenParam);
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#session.stop();
  }

  protected override updated(_changed: PropertyValues): void {
    const { may } = this.vm;
    if (this.#viewer !== null) this.#viewer.isViewOnly = !this.#acceptsKeys;
    const { kind } = this.#session.view;
    this.#updateFocus(kind === 'connected');
    if (may.screen && this.isConnected) {
      if (kind === 'idle') this.#session.start();
    } else if (kind !== 'idle') this.#session.stop();
  }

  /** Keeps the focus at the screen during a reconnection, because elsewhere the keys would press buttons. */
  #updateFocus(isOn: boolean): void {
    if (this.hasKeys && !isOn) this.#focusPlace();
    else if (this.#wantsFocus && isOn) {
      this.#wantsFocus = false;
      const { activeElement } = this.getRootNode() as ShadowRoot;
      // Does not move the focus if the user has focused another element.
      const isNearby = activeElement === null || activeElement.matches('h1, main, .screen-place');
      if (isNearby && this.#acceptsKeys) this.#viewer?.focus();
    }
  }

  /** Focuses the screen's container, where no key does anything, until the screen is back. */
  #focusPlace(): void {
    this.hasKeys = false;
    this.#wantsFocus = true;
    this.querySelector<HTMLElement>('.screen-place')?.focus();
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    const { kind } = this.#session.view;
    const isOn = kind === 'connected';
    return html`<figure class="screen" aria-label=${text.of(this.vm.name)} data-screen=${kind}>
      <div class="screen-bar">
        ${this.#state()}
        ${isOn && !this.vm.may.input ? html`<span class="tag">${icon('lock')}${text.viewOnly}</span>` : nothing}
        <span class="end">${this.#buttons(isOn)}</span>
      </div>
      <div class="screen-place" tabindex="-1">
        <div
          class="screen-canvas"
          @focusin=${this.#onFocus}
          @focusout=${this.#onBlur}
          @keydown=${{ handleEvent: this.#onKey, capture: true }}
        ></div>
        ${isOn ? nothing : this.#message()}
      </div>
    </figure>`;
  }

  #buttons(isOn: boolean): TemplateResult {
    const text = this.#text;
    const { may } = this.vm;
    const button = (name: Parameters<typeof icon>[0], label: string, run: () => void): TemplateResult =>
      html`<button class="button quiet small" title=${label} aria-label=${label} @click=${run}>
        ${icon(name)}
      </button>`;
    const keys = html`<button
        class="button quiet small screen-type"
        title=${text.typeHint}
        @click=${this.#focus}
      >
        ${text.type}
      </button>
      <span class=${this.hasKeys ? 'tag typing' : 'leave'}>${this.hasKeys ? text.typing : text.leave}</span>
      <button class="button quiet small" @click=${() => this.#viewer?.sendCtrlAltDel()}>
        ${text.ctrlAltDel}
      </button>`;
    return html`${isOn && this.#acceptsKeys ? keys : nothing}
    ${may.screen && !this.isSaving ? button('camera', text.screenshot, () => void this.#save()) : nothing}
    ${isOn ? button('full', text.fullScreen, () => void this.#fullScreen()) : nothing}`;
  }

  #state(): TemplateResult {
    const text = this.#text;
    const { kind } = this.#session.view;
    const dot = kind === 'connected' ? 'dot' : 'dot off';
    const word = kind === 'idle' ? text.off : text.kinds[kind];
    return html`<span class="link-state" role="status"><span class=${dot}></span><span>${word}</span></span>`;
  }

  /** Message in place of the picture. */
  #message(): TemplateResult {
    const text = this.#text;
    const { view } = this.#session;
    if (view.kind === 'refused')
      return html`<div class="screen-message">
        ${problemBox(this.app, view.problem)}
        <button class="button" @click=${() => this.#session.start()}>${icon('refresh')}${text.again}</button>
      </div>`;
    const words =
      view.kind === 'idle' ? text.offWords : view.kind === 'lost' ? text.lostWords : text.connectingWords;
    return html`<div class="screen-message">
      ${icon(view.kind === 'lost' ? 'offline' : 'screen')}
      <p>${words}</p>
    </div>`;
  }

  async #open(ticket: string, events: ViewerEvents): Promise<VncViewer> {
    const holder = this.querySelector('.screen-canvas');
    if (holder === null) throw new Error('The screen is not rendered.');
    const path = routes.vmScreen(this.vm.id ?? 0);
    return openViewer({
      holder,
      path,
      ticket,
      events,
      label: this.#text.of(this.vm.name),
    });
  }

  readonly #focus = (): void => this.#viewer?.focus();

  readonly #onFocus = (): void => {
    if (this.hasKeys || !this.#acceptsKeys) return;
    this.hasKeys = true;
    this.app.announcer.say(this.#text.typing);
  };

  /** Checks in a microtask whether the user left the screen or the screen was removed. */
  readonly #onBlur = ({ target }: FocusEvent): void => {
    queueMicrotask(() => {
      if (target instanceof Element && target.isConnected) this.hasKeys = false;
      else if (this.hasKeys && this.isConnected) this.#focusPlace();
    });
  };

  /** Every key goes to the machine, except the key to leave. */
  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'F6') return;
    event.preventDefault();
    event.stopPropagation();
    this.#viewer?.blur();
    this.querySelector<HTMLElement>('.screen-type')?.focus();
  };

  async #fullScreen(): Promise<void> {
    try {
      if (document.fullscreenElement === null) {
        await this.querySelector('.screen')?.requestFullscreen();
        this.#viewer?.focus();
      } else await document.exitFullscreen();
    } catch (error) {
      this.app.notices.show(String(error));
    }
  }

  async #save(): Promise<void> {
    this.isSaving = true;
    try {
      const { id, name } = this.vm;
      await saveFile(this.app, { path: routes.vmScreenshot(id ?? 0), name: `${name}.png` });
    } catch (error) {
      this.app.showError(error);
    } finally {
      this.isSaving = false;
    }
  }
}
