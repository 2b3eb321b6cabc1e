import { html, LitElement, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { count } from '../text/format.ts';
import { keepClear } from '../ui/focus-clearance.ts';
import { icon, mark } from '../ui/icons.ts';
import { onRegionKey } from '../ui/regions.ts';
import { App } from './app.ts';
import type { AppOptions } from './app.ts';
import { banners, healthBanner } from './banners.ts';
import { pagePaths } from './router.ts';
import type { PageName } from './router.ts';
import type { SignedInState } from './signed-in-state.ts';

export type Page = (app: App) => TemplateResult;

/** The element of each page. */
export type Pages = Readonly<Record<PageName, Page>>;

export interface ConsoleOptions extends AppOptions {
  pages: Pages;
}

type TabName = 'home' | 'vms' | 'images' | 'operations';

/** The selected tab on pages that have no tab. */
const tabOf: Readonly<Partial<Record<PageName, TabName>>> = {
  image: 'images',
  vm: 'vms',
  createVm: 'vms',
  operation: 'operations',
};

/** The whole console in one shadow root. `main.ts` passes the pages and features. */
export abstract class WccConsole extends LitElement {
  readonly #app: App;
  readonly #pages: Pages;
  #observed: SignedInState | null = null;

  protected constructor({ pages, ...options }: ConsoleOptions) {
    super();
    this.#app = new App(options);
    this.#pages = pages;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const update = (): void => this.requestUpdate();
    const { preferences, router, announcer, notices, session, lazyParts } = this.#app;
    for (const each of [preferences, router, announcer, notices, session, lazyParts])
      each.changed.listen(update);
    addEventListener('keydown', (event) => onRegionKey(event, this.renderRoot as ShadowRoot));
    void this.#keepFocus();
    this.renderRoot.addEventListener('focusin', (event) => this.#onFocus(event));
  }

  protected override willUpdate(): void {
    const { signedIn } = this.#app;
    if (signedIn === null || signedIn === this.#observed) return;
    this.#observed = signedIn;
    signedIn.connection.changed.listen(() => this.requestUpdate());
    signedIn.health.changed.listen(() => this.requestUpdate());
    signedIn.operations.changed.listen(() => this.requestUpdate());
    signedIn.operations.pausing.listen(() => this.requestUpdate());
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
    const { session, router, signedIn, text } = this.#app;
    const { kind } = session.view;
    if (router.page === 'firstSignIn' && kind !== 'signed_in')
      return html`<main class="gate"><wcc-first-sign-in .app=${this.#app}></wcc-first-sign-in></main>`;
    // Needs no session: the link grants access.
    if (router.page === 'shared')
      return html`<main id="main" tabindex="-1">${this.#pages.shared(this.#app)}</main>`;
    if (kind === 'loading')
      return html`<main class="centre"><p class="muted">${text.shell.loading}</p></main>`;
    if (kind === 'unreachable')
      return html`<main class="centre">
        ${icon('offline')}
        <h1>${text.shell.unreachable}</h1>
        <p class="muted">${text.shell.unreachableHint}</p>
      </main>`;
    if (kind === 'signed_out' || signedIn === null)
      return html`<main class="gate"><wcc-sign-in .app=${this.#app}></wcc-sign-in></main>`;
    return html`${this.#header(signedIn, router.page)} ${banners(this.#app, signedIn)}
      ${healthBanner(this.#app, signedIn)}
      <main id="main" tabindex="-1">${this.#pages[router.page](this.#app)}</main>
      <div class="dock">${this.#notice()}<wcc-tray .app=${this.#app}></wcc-tray></div>
      ${kind === 'expired' ? this.#expired() : nothing}`;
  }

  #header(signedIn: SignedInState, page: PageName): TemplateResult {
    const { text, router, preferences } = this.#app;
    const running = signedIn.operations.active.length;
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
    const { isLive, isOnline } = signedIn.connection;
    const word = isLive ? text.shell.connected : isOnline ? text.shell.connecting : text.shell.disconnected;
    return html`<header class="top">
      <button class="skip button" @click=${this.#skip}>${text.shell.skip}</button>
      <a class="brand" href="/" @click=${router.onLink} aria-label="wcc">${mark()}<span>wcc</span></a>
      <nav aria-label=${text.shell.navigation}>
        ${tab('home')} ${tab('vms')} ${tab('images')} ${tab('operations', running === 0 ? nothing : badge)}
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
      <button class="button quiet small" aria-label=${text.shell.close} @click=${() => notices.close()}>
        ${icon('close')}
      </button>
    </div>`;
  }

  /** Sign-in dialog over the open pages. Escape does not close it, because nothing behind it works. */
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

  /** Loaded after the first page, because the first page needs no focus handling. */
  async #keepFocus(): Promise<void> {
    try {
      const { FocusKeeper } = await import('../ui/focus-keeper.ts');
      new FocusKeeper(this.renderRoot as ShadowRoot).start();
    } catch {
      // A server update removes the old file; a reload of the page fetches the new one.
    }
  }

  readonly #skip = (): void => {
    this.renderRoot.querySelector<HTMLElement>('main')?.focus();
  };
}
