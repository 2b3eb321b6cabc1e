import type { NewSession, Session } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { ApiClient } from '@wcc/api/client';
import { Emitter } from '../ui/emitter.ts';
import type { PageKey } from './page-key.ts';

export type SessionView =
  | { kind: 'loading' }
  | { kind: 'unreachable' }
  /** `lacksPageKey`: the session of before is unusable; the user did not sign out. */
  | { kind: 'signed_out'; lacksPageKey: boolean }
  | { kind: 'signed_in'; session: Session }
  /** Ended while pages were open. The pages stay, with the sign-in dialog over them. */
  | { kind: 'expired'; session: Session };

const retryMs = 2000;

/** The user's session. */
export class SessionState {
  readonly changed: Emitter = new Emitter();
  readonly #api: ApiClient;
  readonly #pageKey: PageKey;
  #view: SessionView = { kind: 'loading' };
  #firstVersion: string | null = null;

  constructor(api: ApiClient, pageKey: PageKey) {
    this.#api = api;
    this.#pageKey = pageKey;
  }

  get view(): SessionView {
    return this.#view;
  }

  get current(): Session | null {
    return this.#view.kind === 'signed_in' || this.#view.kind === 'expired' ? this.#view.session : null;
  }

  /** The server was updated since this page was loaded. */
  get isOutdated(): boolean {
    return this.current !== null && this.#firstVersion !== this.current.version;
  }

  /** Loads the session; retries until the server answers. */
  async load(): Promise<void> {
    try {
      this.#enter(await this.#api.session());
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401)
        return this.expire({ lacksPageKey: error.code === 'page_key_missing' });
      if (this.current !== null) return;
      this.#set({ kind: 'unreachable' });
      setTimeout(() => void this.load(), retryMs);
    }
  }

  async signIn(name: string, password: string): Promise<void> {
    this.#start(await this.#api.signIn({ name, password }));
  }

  async firstSignIn(request: { secret: string; name: string; password: string }): Promise<void> {
    this.#start(await this.#api.firstSignIn(request));
  }

  /** Loads a new document, so that no data or socket of the old user remains. */
  async signOut(): Promise<void> {
    await this.#api.signOut();
    this.#pageKey.set(null);
    location.assign('/');
  }

  expire({ lacksPageKey = false }: { lacksPageKey?: boolean } = {}): void {
    const session = this.current;
    this.#set(session === null ? { kind: 'signed_out', lacksPageKey } : { kind: 'expired', session });
  }

  #start({ pageKey, ...session }: NewSession): void {
    this.#pageKey.set(pageKey);
    this.#enter(session);
  }

  #enter(session: Session): void {
    const before = this.current;
    this.#firstVersion ??= session.version;
    // Another user signed in over these pages and must not see them.
    if (before !== null && before.user.id !== session.user.id) return location.assign('/');
    this.#set({ kind: 'signed_in', session });
  }

  #set(view: SessionView): void {
    this.#view = view;
    this.changed.emit();
  }
}
