import type { ApiProblem } from '@wcc/api/client';
import type { TemplateResult } from 'lit';
import { OperationDialog } from '../operations/operation-dialog.ts';
import { selectField, textField } from '../ui/fields.ts';
import type { FieldOptions, SelectOptions } from '../ui/fields.ts';
import { machinesOf } from './machines-state.ts';
import type { MachinesState } from './machines-state.ts';
import { machinesTextOf } from './text/catalogue.ts';
import type { MachinesText } from './text/text.ts';

/** Fields of requests that are called otherwise here, where they are typed in other units. */
const typedAs: Readonly<Partial<Record<string, string>>> = { memoryBytes: 'memory', sizeBytes: 'size' };

/** Base of the dialogs about machines. */
export abstract class MachineDialog extends OperationDialog {
  protected get words(): MachinesText {
    return machinesTextOf(this.app.preferences);
  }

  protected get machines(): MachinesState {
    return machinesOf(this.app);
  }

  /** Names that no further machine can have. */
  protected get taken(): string[] {
    return this.machines.machines.map(({ name }) => name);
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
    return { ...options, note: fieldError.words, isBad: true, isGood: false, change };
  }
}
