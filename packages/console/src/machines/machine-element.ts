import type { CSSResult } from 'lit';
import type { App } from '../app/app.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { fields } from '../ui/styles/fields.ts';
import { vmForms } from './form-styles.ts';
import { vmsOf } from './machines-state.ts';
import type { VmsState } from './machines-state.ts';
import { vms } from './styles.ts';
import { vmsTextOf } from './text/catalogue.ts';
import type { VmsText } from './text/text.ts';

/** Base of the pages about machines: their state, polled while the page is shown, their texts and styles. */
export abstract class VmElement extends ConsoleElement<App> {
  #stopPolling: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopPolling = this.vms.startPolling();
  }

  protected override styles(): readonly CSSResult[] {
    return [vms, fields, vmForms];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopPolling?.();
    this.#stopPolling = null;
  }

  protected override observed(): Emitter[] {
    const { operations, connection, images } = this.signedIn;
    return [
      ...super.observed(),
      this.vms.changed,
      operations.changed,
      connection.changed,
      images.changed,
      this.app.lazyParts.changed,
    ];
  }

  protected get vms(): VmsState {
    return vmsOf(this.app);
  }

  protected get words(): VmsText {
    return vmsTextOf(this.app.preferences);
  }
}
