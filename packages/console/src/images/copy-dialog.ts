import type { CopyPlan, Image } from '@wcc/api';
import type { ApiProblem } from '@wcc/api/client';
import { html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { OperationDialog } from '../operations/operation-dialog.ts';
import type { Emitter } from '../ui/emitter.ts';
import { icon } from '../ui/icons.ts';
import { createKeys } from '../ui/idempotency.ts';
import { copyFacts } from './copy-facts.ts';
import { extrasField, methodField, nameField } from './copy-fields.ts';
import type { FieldContext } from './copy-fields.ts';
import { checkCopyName, parseLimit, proposeCopyName, toRequest } from './copy-form.ts';
import type { CopyForm } from './copy-form.ts';
import { imagesTextOf } from './text/catalogue.ts';

const askAfterMs = 250;

/** Copies an image. Shows the required and the free space before the start. */
export class CopyDialog extends OperationDialog {
  static override readonly properties: PropertyDeclarations = {
    ...OperationDialog.properties,
    image: { attribute: false },
    form: { state: true },
    plan: { state: true },
    planProblem: { state: true },
  };
  declare image: Image;
  declare form: CopyForm;
  declare plan: CopyPlan | null;
  declare planProblem: unknown;
  protected readonly idPrefix = 'copy';
  readonly #keyOf = createKeys();
  #asking = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.plan = null;
    this.planProblem = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const taken = new Set(this.signedIn.images.all.map((image) => image.name));
    for (const { snapshot } of this.signedIn.operations.all) taken.add(snapshot.target?.name ?? '');
    const name = proposeCopyName(this.image.name, (proposal) => taken.has(proposal));
    this.form = { name, method: 'auto', limit: '', verify: false };
    this.plan = null;
    void this.#loadPlan();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#asking.abort();
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.signedIn.connection.changed];
  }

  protected override firstUpdated(): void {
    super.firstUpdated();
    const dot = this.form.name.lastIndexOf('.');
    this.inputOf('name')?.setSelectionRange(0, dot > 0 ? dot : this.form.name.length);
  }

  /** The field of the limit has another name, because it has another unit. */
  protected override fieldOf(error: ApiProblem): string | null {
    return error.field === 'bytesPerSecond' ? 'limit' : super.fieldOf(error);
  }

  protected override render(): TemplateResult {
    const { copy } = imagesTextOf(this.app.preferences);
    const { shell } = this.text;
    const { form, plan, app, fieldError } = this;
    const context: FieldContext = { app, form, plan, fieldError, change: (part) => this.#change(part) };
    const isOffline = !this.signedIn.connection.isOnline;
    return this.frame({
      title: copy.title,
      lead: html`${copy.of} <bdi translate="no">${this.image.name}</bdi>`,
      body: html`${nameField(context)} ${methodField(context)} ${extrasField(context)}
      ${copyFacts({ app, form, plan, problem: this.planProblem })}`,
      note: isOffline ? shell.disabledOffline : copy.leave,
      buttons: this.buttons(html`${icon('copy')}${this.busy ? copy.busy : copy.submit}`, {
        isOff: isOffline,
      }),
      submit: () => void this.#submit(),
    });
  }

  #change(part: Partial<CopyForm>): void {
    this.form = { ...this.form, ...part };
    this.problem = null;
    this.fieldError = null;
    if (part.name === undefined) return;
    // The loaded plan is about the old name.
    if (this.plan !== null) this.plan = { ...this.plan, nameTaken: null };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#loadPlan(), askAfterMs);
  }

  async #loadPlan(): Promise<void> {
    // The server stops looking at the file when the dialog waits no longer.
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const { name } = this.form;
    const query = checkCopyName(name, null) === null ? { name } : {};
    try {
      const plan = await this.app.api.copyPlan(this.image.id, query, signal);
      if (signal.aborted) return;
      this.plan = plan;
      this.planProblem = null;
    } catch (error) {
      if (!signal.aborted) this.planProblem = error;
    }
  }

  async #submit(): Promise<void> {
    if (!this.signedIn.connection.isOnline) return;
    const request = toRequest(this.form);
    if (checkCopyName(this.form.name, this.plan) !== null) return this.inputOf('name')?.focus();
    if (request === null || parseLimit(this.form.limit) === undefined) return this.inputOf('limit')?.focus();
    const operation = await this.start(() =>
      this.app.api.copyImage(this.image.id, request, this.#keyOf(request)),
    );
    // The plan may have changed since it was loaded.
    if (operation === null && !this.busy) void this.#loadPlan();
  }
}
