import type { Operation } from '@wcc/api';
import type { App } from '../app/app.ts';
import { FormDialog } from '../ui/form-dialog.ts';

/** Base of the dialogs that start an operation. */
export abstract class OperationDialog extends FormDialog<App> {
  /**
   * Sends the request and closes once the operation exists; an error is shown in the dialog.
   *
   * @returns the operation, or `null` when none was started
   */
  protected async start(request: () => Promise<{ operation: Operation }>): Promise<Operation | null> {
    let started: Operation | null = null;
    await this.send(async () => {
      const { operation } = await request();
      this.signedIn.operations.offer(operation);
      started = operation;
    });
    if (started !== null) this.close();
    return started;
  }
}
