import { routes } from '@wcc/api';
import { ApiProblem, createApiClient } from '@wcc/api/client';
import type { ApiClient } from '@wcc/api/client';
import type { OperationError } from '@wcc/progress';
import { connect } from '@wcc/progress/client';
import type { ProgressClient } from '@wcc/progress/client';
import { errorWordsOf } from '../text/errors.ts';
import { count } from '../text/format.ts';
import type { ErrorWords, Text } from '../text/text.ts';
import { Announcer } from './announcer.ts';
import { ImagesState } from '../images/images-state.ts';
import { LinkState } from './connection-state.ts';
import { newsOf } from '../operations/announcements.ts';
import { Notices } from './notices.ts';
import { OperationsState } from '../operations/operations-state.ts';
import { Preferences } from './preferences.ts';
import { Router } from './router.ts';
import type { PageName } from './router.ts';
import { SessionState } from './session.ts';
import { TabMark } from '../operations/tab-title.ts';
import { Tray } from '../operations/tray-state.ts';
import { Uploads } from '../uploads/uploads-state.ts';

const refreshMs = 30_000;

/** Everything that needs somebody signed in. */
export interface Desk {
  readonly live: ProgressClient;
  readonly link: LinkState;
  readonly images: ImagesState;
  readonly operations: OperationsState;
  readonly tray: Tray;
  readonly uploads: Uploads;
}

/** The state behind the pages, put together. Components read it and listen; none keeps truth of its own. */
export class App {
  readonly preferences: Preferences = new Preferences();
  readonly router: Router = new Router();
  readonly announcer: Announcer;
  readonly notices: Notices;
  readonly api: ApiClient;
  readonly session: SessionState;
  #desk: Desk | null = null;

  constructor() {
    this.announcer = new Announcer({
      summarise: (all, failed) => {
        const { locale } = this.preferences;
        return this.text.news.many(count(all, locale), failed === 0 ? '' : count(failed, locale));
      },
    });
    this.notices = new Notices(this.announcer);
    this.api = createApiClient({ fetch: (input, init) => this.fetch(input, init) });
    this.session = new SessionState(this.api);
    this.session.changed.listen(() => this.#onSession());
    // Who opens a share link needs no account here.
    if (this.router.page !== 'shared') void this.session.load();
  }

  get text(): Text {
    return this.preferences.text;
  }

  /** `null` until somebody has signed in. */
  get desk(): Desk | null {
    return this.#desk;
  }

  /** An error in the reader's language. The server's exact words, numbers and all, are `detail` where they differ. */
  explain(error: unknown): ErrorWords & { detail: string } {
    const own = error instanceof ApiProblem ? error : null;
    const message = error instanceof Error ? error.message : String(error);
    const known = own === null ? undefined : this.#translate(own.code);
    if (known === undefined) return { message, hint: own?.hint ?? '', detail: '' };
    return { ...known, message: known.message.replace('{status}', String(own?.status)), detail: message };
  }

  explainOperation(error: OperationError): ErrorWords {
    return this.#translate(error.code) ?? { message: error.message, hint: error.hint };
  }

  #translate(code: string): ErrorWords | undefined {
    return errorWordsOf(this.preferences.locale)[code];
  }

  /** A 401 anywhere but at sign-in itself means that the session is over. */
  async fetch(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    const response = await fetch(input, init);
    const isSignIn =
      init?.method === 'POST' && (input === routes.session() || input === routes.firstSignIn());
    if (response.status === 401 && !isSignIn && this.session.current !== null) this.session.expire();
    return response;
  }

  #onSession(): void {
    if (this.session.view.kind !== 'signed_in') return;
    if (this.#desk === null) this.#desk = this.#open();
    else this.#desk.live.reconnectNow();
    void this.#desk.images.load();
  }

  #open(): Desk {
    const live = connect(routes.socket(), { ticket: (signal) => this.#ticket(signal) });
    const images = new ImagesState(this.api);
    const operations = new OperationsState(live);
    const link = new LinkState(live, {
      lost: () => this.announcer.say(this.text.shell.disconnected),
      back: () => this.#onBack(),
    });
    live.onStatus((status) => {
      if (status.state === 'signed_out') this.session.expire();
    });
    operations.listenAll((entry, before) => {
      const hasEnded = entry.snapshot.state === 'succeeded' && before?.snapshot.state !== 'succeeded';
      if (hasEnded && !entry.isHistory) void images.load();
      this.#tell(
        newsOf(entry, before, {
          text: this.text,
          locale: this.preferences.locale,
          userId: this.#userId,
          isFed: (id) => this.#desk?.uploads.isFed(id) === true,
          explain: this.#explainShort,
        }),
      );
    });
    const refresh = (): void => {
      if (document.visibilityState === 'visible' && this.session.view.kind === 'signed_in')
        void images.load();
    };
    setInterval(refresh, refreshMs);
    document.addEventListener('visibilitychange', refresh);
    const uploads = new Uploads({
      load: async () => (await import('../uploads/elements.ts')).createSender(this, desk),
      userId: () => this.#userId,
      onProblem: (error) => {
        const { message, hint } = this.explain(error);
        this.notices.show(`${message} ${hint}`);
      },
    });
    const desk: Desk = { live, link, images, operations, uploads, tray: this.#openTray(operations) };
    return desk;
  }

  /** What lies in the tray, and what the tab tells when nobody looks at the page. */
  #openTray(operations: OperationsState): Tray {
    const mark = new TabMark({ operations, userId: () => this.#userId, page: () => this.pageTitle });
    for (const { changed } of [this.router, this.preferences]) changed.listen(() => mark.update());
    return new Tray(operations, {
      // An administrator sees everybody's work; whoever is shown something by others shall find it.
      concerns: ({ owner }) => owner === this.#userId || this.session.current?.user.role !== 'admin',
      fetch: async (id) => operations.offer(await this.api.operation(id)),
    });
  }

  /** Name of the page that is shown, for the title of the document. */
  get pageTitle(): string {
    const { shell, operation } = this.text;
    const names: Record<PageName, string> = {
      ...shell.menuPages,
      home: shell.home,
      machines: shell.machines,
      machine: shell.machine,
      createMachine: shell.createMachine,
      images: shell.images,
      operations: shell.operations,
      image: shell.images,
      operation: operation.title,
      shared: '',
      firstSignIn: '',
      unknown: shell.noSuchPage,
    };
    return names[this.router.page];
  }

  get #userId(): string {
    return this.session.current?.user.id ?? '';
  }

  readonly #explainShort = (error: OperationError): string => {
    const { message, hint } = this.explainOperation(error);
    return `${message} ${hint}`;
  };

  async #ticket(signal: AbortSignal): Promise<string | null> {
    try {
      return (await this.api.watchTicket(signal)).ticket;
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  }

  /** After a loss the server may be another one: its version is asked for, and what was missed is loaded. */
  #onBack(): void {
    this.announcer.say(this.text.shell.backAgain);
    void this.session.load();
    void this.#desk?.images.load();
  }

  #tell(news: ReturnType<typeof newsOf>): void {
    if (news === null) return;
    if (news.isAlert) this.announcer.alert(news.text);
    else this.announcer.say(news.text);
  }
}
