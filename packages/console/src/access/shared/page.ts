import { routes } from '@wcc/api';
import { ApiProblem, createApiClient } from '@wcc/api/client';
import { percent } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import { connect } from '@wcc/progress/client';
import type { ProgressClient } from '@wcc/progress/client';
import { actionName } from '../../text/operation-names.ts';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../../app/app.ts';
import { ConnectionState } from '../../app/connection-state.ts';
import { languageChoice } from '../../app/user-menu.ts';
import { ago } from '../../text/format.ts';
import { ConsoleElement } from '../../ui/console-element.ts';
import { icon, mark } from '../../ui/icons.ts';
import { sharedTextOf } from './text.ts';
import type { SharedText } from './text.ts';

type View = 'loading' | 'shown' | 'no_secret' | 'over' | 'gone';

/** One operation, read-only, for anyone with its link. Uses no session. */
export class SharedPage extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    view: { state: true },
    snapshot: { state: true },
  };
  declare view: View;
  declare snapshot: Snapshot | null;
  #live: ProgressClient | null = null;
  #link: ConnectionState | null = null;
  #watched = '';

  constructor() {
    super();
    this.view = 'loading';
    this.snapshot = null;
  }

  get #text(): SharedText {
    return sharedTextOf(this.app.preferences);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const secret = this.app.router.sharedSecret;
    if (secret === null) this.view = 'no_secret';
    else this.#open(secret);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#live?.close();
    this.#live = null;
  }

  protected override updated(): void {
    document.title = this.snapshot === null ? `${this.#text.title} · wcc` : this.#title(this.snapshot);
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    return html`<div class="shared">
      <header>
        ${mark()}
        <div>
          <h1>${text.title}</h1>
          <p class="muted">${text.lead}</p>
        </div>
      </header>
      ${this.#banner()} ${this.#content()}
      <div class="languages">${languageChoice(this.app)}</div>
    </div>`;
  }

  #content(): TemplateResult {
    const text = this.#text;
    if (this.view === 'no_secret') return this.#note(text.noSecret, text.noSecretHint);
    if (this.view === 'over') return this.#note(text.over, text.overHint);
    if (this.view === 'gone') return this.#note(text.gone, text.goneHint);
    if (this.snapshot === null) return html`<p class="muted">${text.loading}</p>`;
    return html`<div class="card row">
      <wcc-progress
        locale=${this.app.preferences.locale}
        .snapshot=${this.snapshot}
        .connection=${this.#link?.isOnline === false ? 'offline' : 'online'}
      ></wcc-progress>
    </div>`;
  }

  #note(title: string, hint: string): TemplateResult {
    return html`<section class="card empty" role="status">
      ${icon('alert')}
      <h2>${title}</h2>
      <p>${hint}</p>
    </section>`;
  }

  #banner(): TemplateResult | typeof nothing {
    const text = this.#text;
    const link = this.#link;
    if (link === null || (this.view !== 'shown' && this.view !== 'loading')) return nothing;
    const { view } = link;
    if (view.kind === 'ok') return nothing;
    if (view.kind === 'other_version')
      return this.#problem(text.otherVersion, text.reload, () => location.reload());
    const words =
      view.kind === 'too_many'
        ? text.tooManyWindows
        : this.snapshot === null
          ? text.unreachable
          : text.lost(ago(view.sinceMs, this.app.preferences.locale));
    return this.#problem(words, text.retryNow, () => link.retryNow());
  }

  #problem(words: string, verb: string, run: () => void): TemplateResult {
    return html`<div class="banner">
      ${icon('offline')}
      <p>${words}</p>
      <button class="button small" @click=${run}>${verb}</button>
    </div>`;
  }

  #title(snapshot: Snapshot): string {
    const { locale } = this.app.preferences;
    const phase = snapshot.phases[snapshot.phaseIndex];
    const isMoving = snapshot.state === 'running' && phase !== undefined && 'done' in phase;
    const value = isMoving ? percent(phase.done, phase.total) : null;
    const name = `${actionName(snapshot.action, locale)} · wcc`;
    return value === null ? name : `${Math.floor(value)} % · ${name}`;
  }

  #open(secret: string): void {
    // Omits the session cookie: the link alone grants access.
    const withoutCookie: typeof fetch = (input, init) => fetch(input, { ...init, credentials: 'omit' });
    const api = createApiClient({ versionHint: 'Reload this page.', token: secret, fetch: withoutCookie });
    const live = connect(routes.socket(), {
      events: routes.events(),
      fetch: (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${secret}`);
        return withoutCookie(input, { ...init, headers });
      },
      ticket: async (signal) => {
        try {
          const { ticket, operations } = await api.ticket({ purpose: 'watch' }, signal);
          this.#watch(operations?.[0] ?? '');
          return ticket;
        } catch (error) {
          if (error instanceof ApiProblem && [401, 403, 404].includes(error.status)) return null;
          throw error;
        }
      },
    });
    this.#live = live;
    this.#link = new ConnectionState(live, {
      lost: () => this.app.announcer.say(this.app.text.shell.disconnected),
      back: () => this.app.announcer.say(this.#text.backAgain),
    });
    this.#link.changed.listen(() => this.requestUpdate());
    live.onStatus(({ state }) => {
      if (state === 'signed_out') this.#leave('over');
    });
    live.onGone((_id, why) => this.#leave(why === 'revoked' ? 'over' : 'gone'));
  }

  #watch(id: string): void {
    if (this.#watched === id || id === '') return;
    this.#watched = id;
    // Waits until the client has the ticket.
    queueMicrotask(() =>
      this.#live?.watch(id, (snapshot) => {
        this.snapshot = snapshot;
        this.view = 'shown';
      }),
    );
  }

  #leave(view: View): void {
    this.view = view;
    this.snapshot = null;
    this.#live?.close();
  }
}
