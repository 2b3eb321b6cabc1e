import type { ErrorText, Locale, Text } from '../text/text.ts';
import type { Emitter } from './emitter.ts';

/** An error in the reader's language. */
export interface ExplainedError extends ErrorText {
  /** The server's exact message if `message` is a translation, otherwise empty. */
  detail: string;
}

/** The interface that the base classes of the elements require. `App` implements it. */
export interface AppContext {
  readonly text: Text;
  readonly preferences: { readonly locale: Locale; readonly changed: Emitter };
  readonly announcer: { alert(text: string): void };
  /** `null` until a user has signed in. */
  readonly signedIn: object | null;
  explain(error: unknown): ExplainedError;
  announceError(error: unknown): void;
}
