import { LitElement } from 'lit';
import type { CSSResult, PropertyDeclarations } from 'lit';
import type { App, Desk } from '../app/app.ts';
import type { Emitter } from './emitter.ts';
import type { Text } from '../text/text.ts';

/**
 * Base of the console's parts. They render into themselves, so that the whole console is one shadow root:
 * one set of styles, and `id`s that labels can refer to.
 */
export abstract class ConsoleElement extends LitElement {
  static override readonly properties: PropertyDeclarations = { app: { attribute: false } };
  declare app: App;
  #stops: (() => void)[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    adopt(this.getRootNode(), this.sheets());
    this.#stops = this.follows().map((emitter) => emitter.listen(() => this.requestUpdate()));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** What makes this part render anew. */
  protected follows(): Emitter[] {
    return [this.app.preferences.changed];
  }

  /** Styles that come with a part which is loaded when it is wanted. @default none */
  protected sheets(): readonly CSSResult[] {
    return [];
  }

  protected get text(): Text {
    return this.app.text;
  }

  /** For parts that stand only on pages of somebody signed in. */
  protected get desk(): Desk {
    const { desk } = this.app;
    if (desk === null) throw new Error('This part needs somebody signed in.');
    return desk;
  }
}

/** Adds style sheets to the one shadow root, once. */
function adopt(root: Node, sheets: readonly CSSResult[]): void {
  if (!(root instanceof ShadowRoot)) return;
  for (const { styleSheet } of sheets)
    if (styleSheet !== undefined && !root.adoptedStyleSheets.includes(styleSheet))
      root.adoptedStyleSheets.push(styleSheet);
}
