import { pageKeyHeader, routes, unattendedHeader } from '@wcc/api';
import { ApiProblem, createApiClient } from '@wcc/api/client';
import type { ApiClient } from '@wcc/api/client';
import type { OperationError } from '@wcc/progress';
import { errorTextOf } from '../text/errors.ts';
import { count } from '../text/format.ts';
import type { Times } from '../text/format.ts';
import type { ErrorText, Text } from '../text/text.ts';
import type { AppContext, ExplainedError } from '../ui/app-context.ts';
import { Announcer } from './announcer.ts';
import { Attendance } from './attendance.ts';
import { LazyParts } from './lazy-parts.ts';
import type { LazyLoaders } from './lazy-parts.ts';
import { Notices } from './notices.ts';
import { PageKey } from './page-key.ts';
import { Preferences } from './preferences.ts';
import { Router } from './router.ts';
import type { PageName } from './router.ts';
import { ServerClock } from './server-clock.ts';
import { SessionState } from './session.ts';
import type { SignedInState } from './signed-in-state.ts';

/** The interface that the application requires from its features. */
export interface AppOptions {
  lazyLoaders: LazyLoaders;
  /** Builds the state of a signed-in user; called once, at the first sign-in. */
  openSignedIn: (app: App) => SignedInState;
}

/** The state behind the pages. Elements read it and listen to its emitters. */
export class App implements AppContext {
  readonly preferences: Preferences = new Preferences();
  readonly router: Router = new Router();
  readonly announcer: Announcer;
  readonly notices: Notices;
  readonly api: ApiClient;
  readonly session: SessionState;
  readonly lazyParts: LazyParts;
  readonly clock: ServerClock = new ServerClock();
  readonly #attendance = new Attendance(window);
  readonly #pageKey = new PageKey();
  readonly #openSignedIn: AppOptions['openSignedIn'];
  #signedIn: SignedInState | null = null;

  constructor({ lazyLoaders, openSignedIn }: AppOptions) {
    this.#openSignedIn = openSignedIn;
    this.lazyParts = new LazyParts(lazyLoaders);
    this.announcer = new Announcer({
      summarise: (all, failed) => {
        const { locale } = this.preferences;
        return this.text.shell.manyChanged(count(all, locale), failed === 0 ? '' : count(failed, locale));
      },
    });
    this.notices = new Notices(this.announcer);
    this.api = createApiClient({
      fetch: (input, init) => this.fetch(input, init),
      versionHint: 'Reload this page.',
    });
    this.session = new SessionState(this.api, this.#pageKey);
    this.session.changed.listen(() => this.#onSession());
    // A share link needs no account.
    if (this.router.page === 'shared') return;
    this.#pageKey.onOtherTab(() => void this.session.load());
    void this.session.load();
  }

  get text(): Text {
    return this.preferences.text;
  }

  /** How times are written now. */
  get times(): Times {
    return { locale: this.preferences.locale, nowMs: this.clock.now() };
  }

  /** `null` until a user has signed in; kept after the session has ended. */
  get signedIn(): SignedInState | null {
    return this.#signedIn;
  }

  /** Id of the signed-in user; empty before the first sign-in. */
  get userId(): string {
    return this.session.current?.user.id ?? '';
  }

  /** Whether the user's role allows changes. A viewer cannot change anything. */
  get canWrite(): boolean {
    return this.session.current?.user.role !== 'viewer';
  }

  /** An error in the reader's language. */
  explain(error: unknown): ExplainedError {
    const problem = error instanceof ApiProblem ? error : null;
    const message = error instanceof Error ? error.message : String(error);
    const known = problem === null ? undefined : this.#translate(problem.code);
    if (known === undefined) return { message, hint: problem?.hint ?? '', detail: '' };
    return { ...known, message: known.message.replace('{status}', String(problem?.status)), detail: message };
  }

  /** Shows an error at the bottom of the page. */
  showError(error: unknown): void {
    this.notices.show(sentenceOf(this.explain(error)));
  }

  /** Announces an error that the page shows elsewhere. */
  announceError(error: unknown): void {
    this.announcer.alert(sentenceOf(this.explain(error)));
  }

  explainOperation(error: OperationError): ErrorText {
    return this.#translate(error.code) ?? { message: error.message, hint: error.hint };
  }

  #translate(code: string): ErrorText | undefined {
    return errorTextOf(this.preferences.locale)[code];
  }

  /**
   * Sends a request to the own server, as the signed-in user. A 401 means that the session has ended, except as an
   * answer to the sign-in itself.
   */
  async fetch(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    const headers = new Headers(init?.headers);
    // The page asks regularly, whether a person is there or not.
    if (this.#attendance.isUnattended) headers.set(unattendedHeader, '1');
    const pageKey = this.#pageKey.value;
    if (pageKey !== null) headers.set(pageKeyHeader, pageKey);
    const response = await fetch(input, { ...init, headers });
    this.clock.note(response);
    const isSignIn =
      init?.method === 'POST' && (input === routes.session() || input === routes.firstSignIn());
    // Another tab may have signed in again since the request was sent.
    const isOfSession = !isSignIn && pageKey === this.#pageKey.value;
    if (response.status === 401 && isOfSession && this.session.current !== null) this.session.expire();
    return response;
  }

  #onSession(): void {
    if (this.session.view.kind !== 'signed_in') return;
    if (this.#signedIn === null) this.#signedIn = this.#openSignedIn(this);
    else this.#signedIn.live.reconnectNow();
    this.#signedIn.reload();
  }

  /** Name of the current page, for the document's title. */
  get pageTitle(): string {
    const { shell } = this.text;
    const names: Record<PageName, string> = {
      ...shell.menuPages,
      home: shell.home,
      vms: shell.vms,
      vm: shell.vm,
      createVm: shell.createVm,
      images: shell.images,
      operations: shell.operations,
      image: shell.images,
      operation: shell.operation,
      shared: '',
      firstSignIn: '',
      unknown: shell.noSuchPage,
    };
    return names[this.router.page];
  }
}

function sentenceOf({ message, hint }: ErrorText): string {
  return `${message} ${hint}`;
}
