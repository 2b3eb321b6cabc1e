import { ApiProblem } from '@wcc/api/client';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { AppContext } from './app-context.ts';
import { ConsoleElement } from './console-element.ts';
import { problemBox } from './problem.ts';

/** An error at one field. */
export interface FieldError {
  field: string;
  message: string;
}

export interface InputOptions {
  label: string;
  /** Shown below the field while it has no error. */
  hint?: string;
  /** @default 'text' */
  type?: 'text' | 'password';
  /** @default 'off' */
  autocomplete?: AutoFill;
  /** Initial value. */
  value?: string;
}

/** Base of forms: fields with notes, one request at a time, and errors. */
export abstract class FormElement<Context extends AppContext = AppContext> extends ConsoleElement<Context> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    problem: { state: true },
    fieldError: { state: true },
    busy: { state: true },
  };
  /** Error that is not about a single field. */
  declare problem: unknown;
  declare fieldError: FieldError | null;
  declare busy: boolean;

  constructor() {
    super();
    this.problem = null;
    this.fieldError = null;
    this.busy = false;
  }

  /** Prefix of the fields' ids: unique in the page. */
  protected abstract readonly idPrefix: string;

  /** Text for a server error at one of the fields. @default the translated message */
  protected messageFor(error: ApiProblem): string {
    return this.app.explain(error).message;
  }

  protected input(name: string, options: InputOptions): TemplateResult {
    const id = `${this.idPrefix}-${name}`;
    const isBad = this.fieldError?.field === name;
    const note = isBad ? this.fieldError?.message : options.hint;
    return html`<div class="field">
      <label for=${id}>${options.label}</label>
      <input
        id=${id}
        name=${name}
        type=${options.type ?? 'text'}
        autocomplete=${options.autocomplete ?? 'off'}
        autocapitalize="none"
        spellcheck="false"
        .value=${options.value ?? ''}
        @input=${() => isBad && (this.fieldError = null)}
        aria-invalid=${String(isBad)}
        aria-describedby=${note === undefined ? nothing : `${id}-note`}
      />
      ${note === undefined ? nothing : html`<p class=${isBad ? 'note bad' : 'note'} id="${id}-note">${note}</p>`}
    </div>`;
  }

  protected problemBox(): TemplateResult | typeof nothing {
    return problemBox(this.app, this.problem);
  }

  /** Runs one request; ignores calls while it runs. @returns whether it succeeded */
  protected async send(work: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = null;
    this.fieldError = null;
    try {
      await work();
      return true;
    } catch (error) {
      this.showError(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** Shows and announces an error at a field, and focuses the field. Opens the `details` around it. */
  protected showFieldError(fieldError: FieldError): void {
    this.fieldError = fieldError;
    this.app.announcer.alert(fieldError.message);
    const input = this.inputOf(fieldError.field);
    input?.closest('details')?.setAttribute('open', '');
    input?.focus();
  }

  protected showError(error: unknown): void {
    const field = error instanceof ApiProblem ? this.fieldOf(error) : null;
    if (error instanceof ApiProblem && field !== null && this.inputOf(field) !== null)
      return this.showFieldError({ field, message: this.messageFor(error) });
    this.problem = error;
    this.app.announceError(error);
  }

  /** The form's field for an error of the server; `sshKeys.0` is an entry of the field `sshKeys`. */
  protected fieldOf({ field }: ApiProblem): string | null {
    return field?.split('.')[0] ?? null;
  }

  protected inputOf(field: string): HTMLInputElement | null {
    return this.querySelector<HTMLInputElement>(`#${this.idPrefix}-${field}`);
  }
}
