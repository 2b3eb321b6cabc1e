import { LitElement, html, nothing } from 'lit';
import type { CSSResultGroup, TemplateResult } from 'lit';
import { App } from './app.ts';
import type { Desk } from './app.ts';
import { activeOf } from '../operations/groups.ts';
import { pagePaths } from './router.ts';
import type { PageName } from './router.ts';
import { access } from '../access/styles.ts';
import { controls } from '../ui/styles/controls.ts';
import { dialog } from '../ui/styles/dialog.ts';
import { images } from '../images/styles.ts';
import { menu } from '../ui/styles/menu.ts';
import { operation } from '../operations/operation-styles.ts';
import { operations } from '../operations/styles.ts';
import { shell } from './styles.ts';
import { tokens } from '../ui/styles/tokens.ts';
import { tray } from '../operations/tray-styles.ts';
import { count } from '../text/format.ts';
import { banners } from './banners.ts';
import { icon, mark } from '../ui/icons.ts';
import { keepClear } from '../ui/focus-clearance.ts';
import { pageOf } from '../pages.ts';
import { onRegionKey } from '../ui/regions.ts';

type TabName = 'home' | 'machines' | 'images' | 'operations';

/** Under which tab the page of a single thing stands. */
const tabOf: Readonly<Partial<Record<PageName, TabName>>> = {
  image: 'images',
  machine: 'machines',
  createMachine: 'machines',
  operation: 'operations',
};

/** The whole console in one shadow root. */
export class WccConsole extends LitElement {
  static override readonly styles: CSSResultGroup = [
    tokens,
    controls,
    shell,
    menu,
    images,
    operations,
    operation,
    tray,
    dialog,
    access,
  ];
  readonly #app = new App();
  #followed: Desk | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    const update = (): void => this.requestUpdate();
    const { preferences, router, announcer, notices, session } = this.#app;
    for (const each of [preferences, router, announcer, notices, session]) each.changed.listen(update);
    addEventListener('keydown', (event) => onRegionKey(event, this.renderRoot as ShadowRoot));
    void this.#keepFocus();
    this.renderRoot.addEventListener('focusin', (event) => this.#onFocus(event));
  }

  protected override willUpdate(): void {
    const { desk } = this.#app;
    if (desk === null || desk === this.#followed) return;
    this.#followed = desk;
    desk.link.changed.listen(() => this.requestUpdate());
    desk.operations.changed.listen(() => this.requestUpdate());
    desk.operations.pausing.listen(() => this.requestUpdate());
  }

  protected override updated(): void {
    const signIn = this.renderRoot.querySelector<HTMLDialogElement>('dialog.expired');
    if (signIn !== null && !signIn.open) signIn.showModal();
  }

  protected override render(): TemplateResult {
    const { announcer } = this.#app;
    return html`${this.#content()}
      <div role="status" class="visually-hidden">${announcer.status}</div>
      <div role="alert" class="visually-hidden">${announcer.alertText}</div>`;
  }

  #content(): TemplateResult {
    const { session, router, desk, text } = this.#app;
    const { kind } = session.view;
    if (router.page === 'firstSignIn' && kind !== 'signed_in')
      return html`<main class="gate"><wcc-first-sign-in .app=${this.#app}></wcc-first-sign-in></main>`;
    // Nobody's session is asked for: the link itself is the right to see.
    if (router.page === 'shared')
      return html`<main id="main" tabindex="-1">${pageOf('shared', this.#app)}</main>`;
    if (kind === 'loading')
      return html`<main class="centre"><p class="muted">${text.shell.loading}</p></main>`;
    if (kind === 'unreachable')
      return html`<main class="centre">
        ${icon('offline')}
        <h1>${text.shell.unreachable}</h1>
        <p class="muted">${text.shell.unreachableHint}</p>
      </main>`;
    if (kind === 'signed_out' || desk === null)
      return html`<main class="gate"><wcc-sign-in .app=${this.#app}></wcc-sign-in></main>`;
    return html`${this.#header(desk, router.page)} ${banners(this.#app, desk)}
      <main id="main" tabindex="-1">${pageOf(router.page, this.#app)}</main>
      <div class="dock">${this.#notice()}<wcc-tray .app=${this.#app}></wcc-tray></div>
      ${kind === 'expired' ? this.#expired() : nothing}`;
  }

  #header(desk: Desk, page: PageName): TemplateResult {
    const { text, router, preferences } = this.#app;
    const running = activeOf(desk.operations.all).length;
    const tab = (name: TabName, more: unknown = nothing): TemplateResult =>
      html`<a
        class="tab ${name}"
        href=${pagePaths[name]}
        aria-current=${(tabOf[page] ?? page) === name ? 'page' : 'false'}
        @click=${router.onLink}
        >${text.shell[name]}${more}</a
      >`;
    const number = count(running, preferences.locale);
    const badge = html`<span class="badge" title=${text.shell.running(number)}>${number}</span>`;
    const { isLive, isOnline } = desk.link;
    const word = isLive ? text.shell.connected : isOnline ? text.shell.connecting : text.shell.disconnected;
    return html`<header class="top">
      <button class="skip button" @click=${this.#skip}>${text.shell.skip}</button>
      <a class="brand" href="/" @click=${router.onLink} aria-label="wcc">${mark()}<span>wcc</span></a>
      <nav aria-label=${text.shell.navigation}>
        ${tab('home')} ${tab('machines')} ${tab('images')}
        ${tab('operations', running === 0 ? nothing : badge)}
      </nav>
      <div class="end">
        <span class="link-state" title=${word}>
          <span class=${isLive ? 'dot' : 'dot off'}></span><span>${word}</span>
        </span>
        <wcc-user-menu .app=${this.#app}></wcc-user-menu>
      </div>
    </header>`;
  }

  #notice(): TemplateResult | typeof nothing {
    const { notices, text } = this.#app;
    if (notices.text === null) return nothing;
    return html`<div class="notice problem">
      ${icon('alert')}<span>${notices.text}</span>
      <button class="button quiet small" aria-label=${text.copy.close} @click=${() => notices.close()}>
        ${icon('close')}
      </button>
    </div>`;
  }

  /** Over the pages, which stay as they are; Escape cannot send it away, since nothing behind it works. */
  #expired(): TemplateResult {
    return html`<dialog
      class="expired"
      aria-label=${this.#app.text.signIn.title}
      @cancel=${(event: Event) => event.preventDefault()}
    >
      <wcc-sign-in .app=${this.#app} expired></wcc-sign-in>
    </dialog>`;
  }

  #onFocus(event: Event): void {
    const [focused] = event.composedPath();
    const dock = this.renderRoot.querySelector<HTMLElement>('.dock');
    if (focused instanceof Element && dock !== null) keepClear(focused, dock);
  }

  /** Nothing is lost before the first page stands: it need not come with that. */
  async #keepFocus(): Promise<void> {
    try {
      const { FocusKeeper } = await import('../ui/focus-keeper.ts');
      new FocusKeeper(this.renderRoot as ShadowRoot).start();
    } catch {
      // After an update of the server the old file is gone, and a reload brings the new one.
    }
  }

  readonly #skip = (): void => {
    this.renderRoot.querySelector<HTMLElement>('main')?.focus();
  };
}
