import { routes } from '@wcc/api';
import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import type { App } from '../../app/app.ts';
import { ConsoleElement } from '../../ui/console-element.ts';
import type { Emitter } from '../../ui/emitter.ts';
import { checkField } from '../../ui/fields.ts';
import { icon } from '../../ui/icons.ts';
import { problemBox } from '../../ui/problem.ts';
import { vmsTextOf } from '../text/catalogue.ts';
import type { VmsText } from '../text/text.ts';
import { probeSocket } from './probe.ts';
import { saveFile } from './save-file.ts';
import { SerialLog } from './serial-log.ts';

const nearPx = 24;

/** The serial log of a machine. */
export class SerialView extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    vm: { attribute: false },
  };
  declare vm: Vm;
  #log: SerialLog | null = null;
  #isAtEnd = true;

  get #serial(): SerialLog {
    this.#log ??= new SerialLog({
      id: this.vm.id ?? 0,
      ticket: async (signal) => (await this.app.api.serialTicket(this.vm.id ?? 0, signal)).ticket,
      probe: (signal) => probeSocket(this.app, routes.vmSerialSocket(this.vm.id ?? 0), signal),
    });
    return this.#log;
  }

  get #text(): VmsText['serialText'] {
    return vmsTextOf(this.app.preferences).serialText;
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.#serial.changed];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#serial.follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#serial.stop();
  }

  protected override willUpdate(): void {
    const pre = this.querySelector('pre');
    this.#isAtEnd = pre === null || pre.scrollHeight - pre.scrollTop - pre.clientHeight < nearPx;
  }

  /** Scrolls to the end, unless the user has scrolled up. */
  protected override updated(_changed: PropertyValues): void {
    const pre = this.querySelector('pre');
    if (pre !== null && this.#isAtEnd && this.#serial.isFollowing) pre.scrollTop = pre.scrollHeight;
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    const { isFollowing, isLoaded, view } = this.#serial;
    const { name } = this.vm;
    const words = this.#serial.text;
    return html`<div class="serial">
      <div class="screen-bar">
        ${checkField({
          label: text.follow,
          isOn: isFollowing,
          change: (isOn) => (isOn ? this.#serial.follow() : this.#serial.stop()),
        })}
        ${view.kind === 'lost' ? html`<span class="link-state" role="status">${text.lost}</span>` : nothing}
        <span class="end">
          <button class="button quiet small" @click=${() => void this.#save()}>${text.save}</button>
        </span>
      </div>
      ${view.kind === 'refused' ? this.#refusal(view.problem) : nothing}
      <pre tabindex="0" aria-label=${text.of(name)} translate="no"><code>${words}</code></pre>
      ${isLoaded && words === '' ? html`<p class="nothing">${text.empty}</p>` : nothing}
    </div>`;
  }

  #refusal(problem: unknown): TemplateResult {
    return html`${problemBox(this.app, problem)}
      <p>
        <button class="button" @click=${() => this.#serial.follow()}>
          ${icon('refresh')}${vmsTextOf(this.app.preferences).screenText.again}
        </button>
      </p>`;
  }

  async #save(): Promise<void> {
    const { id, name } = this.vm;
    try {
      await saveFile(this.app, { path: routes.vmSerial(id ?? 0), name: `${name}-serial.txt` });
    } catch (error) {
      this.app.showError(error);
    }
  }
}
