import type { CSSResult } from 'lit';
import { machinesOf } from './machines-state.ts';
import type { MachinesState } from './machines-state.ts';
import type { Emitter } from '../ui/emitter.ts';
import { machinesTextOf } from './text/catalogue.ts';
import type { MachinesText } from './text/text.ts';
import { machineForms } from './form-styles.ts';
import { machines as styles } from './styles.ts';
import { ConsoleElement } from '../ui/console-element.ts';

/** Base of the pages about machines: their state, asked for as long as the page stands, their words and styles. */
export abstract class MachinePart extends ConsoleElement {
  #unfollow: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    adopt(this, styles);
    adopt(this, machineForms);
    this.#unfollow = this.machines.follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unfollow?.();
    this.#unfollow = null;
  }

  protected override follows(): Emitter[] {
    const { operations, link, images } = this.desk;
    return [...super.follows(), this.machines.changed, operations.changed, link.changed, images.changed];
  }

  protected get machines(): MachinesState {
    return machinesOf(this.app);
  }

  protected get words(): MachinesText {
    return machinesTextOf(this.app.preferences);
  }

  /** Whether whoever looks may make machines; what they may do with one, the machine itself tells. */
  protected get mayMake(): boolean {
    return this.app.session.current?.user.role !== 'viewer';
  }
}

/** The styles of a part that is loaded later join those of the console when it is first shown. */
export function adopt(element: Element, { styleSheet }: CSSResult): void {
  const root = element.getRootNode();
  if (!(root instanceof ShadowRoot) || styleSheet === undefined) return;
  if (!root.adoptedStyleSheets.includes(styleSheet))
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, styleSheet];
}
