import type { ApiProblem } from '@wcc/api/client';
import type { TemplateResult } from 'lit';
import { OperationDialog } from '../operations/operation-dialog.ts';
import { selectField, textField } from '../ui/fields.ts';
import type { FieldOptions, SelectOptions } from '../ui/fields.ts';
import { vmsOf } from './machines-state.ts';
import type { VmsState } from './machines-state.ts';
import { vmsTextOf } from './text/catalogue.ts';
import type { VmsText } from './text/text.ts';

/** Maps request fields to form fields with another name, because the form uses another unit. */
const typedAs: Readonly<Partial<Record<string, string>>> = { memoryBytes: 'memory', sizeBytes: 'size' };

/** Base of the dialogs about machines. */
export abstract class VmDialog extends OperationDialog {
  protected get words(): VmsText {
    return vmsTextOf(this.app.preferences);
  }

  protected get vms(): VmsState {
    return vmsOf(this.app);
  }

  /** Names of existing machines. */
  protected get taken(): string[] {
    return this.vms.all.map(({ name }) => name);
  }

  protected override fieldOf(error: ApiProblem): string | null {
    const field = super.fieldOf(error);
    return field === null ? null : (typedAs[field] ?? field);
  }

  /** A text field that shows the server's error at it until its value changes. */
  protected textField(options: FieldOptions): TemplateResult {
    return textField(this.#withFieldError(options));
  }

  /** A select field that shows the server's error at it until its value changes. */
  protected selectField(options: SelectOptions): TemplateResult {
    return selectField(this.#withFieldError(options));
  }

  #withFieldError<Options extends FieldOptions>(options: Options): Options {
    const { fieldError } = this;
    if (fieldError === null || options.id !== `${this.idPrefix}-${fieldError.field}`) return options;
    const change = (value: string): void => {
      this.fieldError = null;
      options.change(value);
    };
    return { ...options, note: fieldError.message, isBad: true, isGood: false, change };
  }
}
