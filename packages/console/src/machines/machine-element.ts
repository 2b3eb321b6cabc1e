import type { CSSResult } from 'lit';
import type { App } from '../app/app.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { fields } from '../ui/styles/fields.ts';
import { machineForms } from './form-styles.ts';
import { machinesOf } from './machines-state.ts';
import type { MachinesState } from './machines-state.ts';
import { machines } from './styles.ts';
import { machinesTextOf } from './text/catalogue.ts';
import type { MachinesText } from './text/text.ts';

/** Base of the pages about machines: their state, polled while the page is shown, their texts and styles. */
export abstract class MachinePart extends ConsoleElement<App> {
  #unfollow: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#unfollow = this.machines.follow();
  }

  protected override styles(): readonly CSSResult[] {
    return [machines, fields, machineForms];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unfollow?.();
    this.#unfollow = null;
  }

  protected override observed(): Emitter[] {
    const { operations, connection, images } = this.signedIn;
    return [
      ...super.observed(),
      this.machines.changed,
      operations.changed,
      connection.changed,
      images.changed,
      this.app.lazyParts.changed,
    ];
  }

  protected get machines(): MachinesState {
    return machinesOf(this.app);
  }

  protected get words(): MachinesText {
    return machinesTextOf(this.app.preferences);
  }
}
