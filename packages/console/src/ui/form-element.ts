import { ApiProblem } from '@wcc/api/client';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { AppContext } from './app-context.ts';
import { ConsoleElement } from './console-element.ts';
import { problemBox } from './problem.ts';

/** A field that is not acceptable, and why. */
export interface FieldError {
  field: string;
  words: string;
}

export interface InputOptions {
  label: string;
  /** Stands under the field until the field is refused. */
  hint?: string;
  /** @default 'text' */
  type?: 'text' | 'password';
  /** @default 'off' */
  autocomplete?: AutoFill;
  /** What stands in it at first. */
  value?: string;
}

/** What a form of people and passwords has in common: fields with their notes, one request at a time, refusals. */
export abstract class FormElement<Context extends AppContext = AppContext> extends ConsoleElement<Context> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    problem: { state: true },
    fieldError: { state: true },
    busy: { state: true },
  };
  /** What is wrong beyond a single field. */
  declare problem: unknown;
  declare fieldError: FieldError | null;
  declare busy: boolean;

  constructor() {
    super();
    this.problem = null;
    this.fieldError = null;
    this.busy = false;
  }

  /** Ids of the fields begin with it; no other form of the page has the same. */
  protected abstract readonly idPrefix: string;

  /** Own words for a fieldError by the server at one of the fields. @default the server's */
  protected wordsFor(error: ApiProblem): string {
    return this.app.explain(error).message;
  }

  protected input(name: string, options: InputOptions): TemplateResult {
    const id = `${this.idPrefix}-${name}`;
    const isBad = this.fieldError?.field === name;
    const note = isBad ? this.fieldError?.words : options.hint;
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

  /** Does one request; a second one while it runs is nobody's wish. @returns whether it went well */
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

  /** Says what is wrong with a field, there and aloud, and leads to it, also where it is folded away. */
  protected showFieldError(fieldError: FieldError): void {
    this.fieldError = fieldError;
    this.app.announcer.alert(fieldError.words);
    const input = this.inputOf(fieldError.field);
    input?.closest('details')?.setAttribute('open', '');
    input?.focus();
  }

  protected showError(error: unknown): void {
    const field = error instanceof ApiProblem ? this.fieldOf(error) : null;
    if (error instanceof ApiProblem && field !== null && this.inputOf(field) !== null)
      return this.showFieldError({ field, words: this.wordsFor(error) });
    this.problem = error;
    this.app.announceError(error);
  }

  /** Which field of this form the server means; `sshKeys.0`: one of a list stands in one field. */
  protected fieldOf({ field }: ApiProblem): string | null {
    return field?.split('.')[0] ?? null;
  }

  protected inputOf(field: string): HTMLInputElement | null {
    return this.querySelector<HTMLInputElement>(`#${this.idPrefix}-${field}`);
  }
}
