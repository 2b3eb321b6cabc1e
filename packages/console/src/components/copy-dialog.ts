import type { CopyPlan, Image } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { html } from 'lit';
import type { PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import type { Emitter } from '../state/emitter.ts';
import { judgeName, parseLimit, proposeCopyName, toRequest } from '../state/copy-form.ts';
import type { CopyForm } from '../state/copy-form.ts';
import { createKeys } from '../state/idempotency.ts';
import { ConsoleElement } from './console-element.ts';
import { copyFacts } from './copy-facts.ts';
import { extrasField, methodField, nameField } from './copy-fields.ts';
import { icon } from './icons.ts';
import { problemBox } from './problem.ts';

const ASK_AFTER_MS = 250;

/** Asks how an image shall be copied, tells the numbers before the start, and closes once the operation exists. */
export class CopyDialog extends ConsoleElement {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    image: { attribute: false },
    onClosed: { attribute: false },
    form: { state: true },
    plan: { state: true },
    planProblem: { state: true },
    problem: { state: true },
    busy: { state: true },
  };
  declare image: Image;
  declare onClosed: () => void;
  declare form: CopyForm;
  declare plan: CopyPlan | null;
  declare planProblem: unknown;
  declare problem: unknown;
  declare busy: boolean;
  readonly #keyOf = createKeys();
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.plan = null;
    this.planProblem = null;
    this.problem = null;
    this.busy = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const taken = new Set(this.desk.images.images.map((image) => image.name));
    for (const { snapshot } of this.desk.operations.all) taken.add(snapshot.target?.name ?? '');
    const name = proposeCopyName(this.image.name, (proposal) => taken.has(proposal));
    this.form = { name, method: 'auto', limit: '', verify: false };
    this.plan = null;
    void this.#ask();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  protected override follows(): Emitter[] {
    return [...super.follows(), this.desk.link.changed];
  }

  protected override firstUpdated(_changed: PropertyValues): void {
    this.querySelector('dialog')?.showModal();
    const input = this.querySelector<HTMLInputElement>('#copy-name');
    input?.focus();
    const dot = this.form.name.lastIndexOf('.');
    input?.setSelectionRange(0, dot > 0 ? dot : this.form.name.length);
  }

  protected override render(): TemplateResult {
    const { copy, shell } = this.text;
    const { form, plan, app } = this;
    const change = (part: Partial<CopyForm>): void => this.#change(part);
    const isOffline = !this.desk.link.isOnline;
    return html`<dialog aria-labelledby="copy-title" @close=${() => this.onClosed()}>
      <form @submit=${(event: SubmitEvent) => void this.#submit(event)} novalidate>
        <header class="head">
          <div>
            <h2 id="copy-title">${copy.title}</h2>
            <p>${copy.of} <bdi translate="no">${this.image.name}</bdi></p>
          </div>
          <button type="button" class="button quiet small" aria-label=${copy.close} @click=${this.#close}>
            ${icon('close')}
          </button>
        </header>
        <div class="body">
          ${problemBox(app, this.problem)} ${nameField({ app, form, plan, change })}
          ${methodField({ app, form, plan, change })} ${extrasField({ app, form, plan, change })}
          ${copyFacts({ app, form, plan, problem: this.planProblem })}
        </div>
        <footer class="foot">
          <p>${isOffline ? shell.disabledOffline : copy.leave}</p>
          <button type="button" class="button" @click=${this.#close}>${copy.close}</button>
          <button class="button primary" aria-disabled=${String(this.busy || isOffline)}>
            ${icon('copy')}${this.busy ? copy.busy : copy.submit}
          </button>
        </footer>
      </form>
    </dialog>`;
  }

  #change(part: Partial<CopyForm>): void {
    this.form = { ...this.form, ...part };
    this.problem = null;
    if (part.name === undefined) return;
    // The answer about the old name says nothing about this one.
    if (this.plan !== null) this.plan = { ...this.plan, nameTaken: null };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), ASK_AFTER_MS);
  }

  async #ask(): Promise<void> {
    const asked = ++this.#asked;
    const { name } = this.form;
    const query = judgeName(name, null) === null ? { name } : {};
    try {
      const plan = await this.app.api.copyPlan(this.image.id, query);
      if (asked !== this.#asked) return;
      this.plan = plan;
      this.planProblem = null;
    } catch (error) {
      if (asked === this.#asked) this.planProblem = error;
    }
  }

  readonly #close = (): void => this.querySelector('dialog')?.close();

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy || !this.desk.link.isOnline) return;
    const request = toRequest(this.form);
    if (judgeName(this.form.name, this.plan) !== null) return this.#focus('#copy-name');
    if (request === null || parseLimit(this.form.limit) === undefined) return this.#focus('#copy-limit');
    this.busy = true;
    this.problem = null;
    try {
      const { operation } = await this.app.api.copyImage(this.image.id, request, this.#keyOf(request));
      this.desk.operations.offer(operation);
      this.#close();
    } catch (error) {
      this.#refused(error);
    } finally {
      this.busy = false;
    }
  }

  #refused(error: unknown): void {
    this.problem = error;
    const { message, hint } = this.app.explain(error);
    this.app.announcer.alert(`${message} ${hint}`);
    const isAboutName =
      error instanceof ApiProblem &&
      (error.field === 'name' || error.code === 'exists' || error.code === 'invalid_name');
    if (error instanceof ApiProblem && error.field === 'bytesPerSecond') this.#focus('#copy-limit');
    else if (isAboutName) this.#focus('#copy-name');
    void this.#ask();
  }

  #focus(selector: string): void {
    this.querySelector<HTMLInputElement>(selector)?.focus();
  }
}
