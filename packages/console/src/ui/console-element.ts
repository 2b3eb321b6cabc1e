import { LitElement } from 'lit';
import type { CSSResult, PropertyDeclarations } from 'lit';
import type { Text } from '../text/text.ts';
import type { AppContext } from './app-context.ts';
import type { Emitter } from './emitter.ts';

/**
 * Base of the console's elements. They render into themselves, so that the whole console is one shadow root:
 * one set of styles, and `id`s that labels can refer to.
 */
export abstract class ConsoleElement<Context extends AppContext = AppContext> extends LitElement {
  static override readonly properties: PropertyDeclarations = { app: { attribute: false } };
  declare app: Context;
  #stops: (() => void)[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    adopt(this.getRootNode(), this.styles());
    this.#stops = this.observed().map((emitter) => emitter.listen(() => this.requestUpdate()));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** The element renders again when one of these emits. */
  protected observed(): Emitter[] {
    return [this.app.preferences.changed];
  }

  /** Styles that are loaded with the element. @default none */
  protected styles(): readonly CSSResult[] {
    return [];
  }

  protected get text(): Text {
    return this.app.text;
  }

  /** For elements that are shown only to a signed-in user. @throws before the first sign-in */
  protected get signedIn(): NonNullable<Context['signedIn']> {
    const { signedIn } = this.app;
    if (signedIn === null) throw new Error(`<${this.localName}> needs a signed-in user.`);
    return signedIn;
  }
}

/** Adds style sheets to the one shadow root, once. */
function adopt(root: Node, styles: readonly CSSResult[]): void {
  if (!(root instanceof ShadowRoot)) return;
  for (const { styleSheet } of styles)
    if (styleSheet !== undefined && !root.adoptedStyleSheets.includes(styleSheet))
      root.adoptedStyleSheets.push(styleSheet);
}
