import { textOf } from '../text/catalogue.ts';
import { loadErrorWords } from '../text/errors.ts';
import type { Locale, Text } from '../text/text.ts';
import { Emitter } from '../ui/emitter.ts';
import { readChoice, writeChoice } from '../ui/storage.ts';

export type Theme = 'system' | 'light' | 'dark';

export const locales: readonly Locale[] = ['en', 'ja'];
export const themes: readonly Theme[] = ['system', 'light', 'dark'];

const LOCALE_KEY = 'wcc.locale';
const THEME_KEY = 'wcc.theme';
const AWAKE_KEY = 'wcc.awake';

/** Language and theme: the browser's wish, until the user says otherwise. */
export class Preferences {
  readonly changed: Emitter = new Emitter();
  #locale: Locale;
  #theme: Theme;
  #keepAwake: boolean;

  constructor() {
    const wished = navigator.languages.find((tag) => /^(en|ja)\b/.test(tag)) ?? 'en';
    this.#locale = readChoice(LOCALE_KEY, locales) ?? (wished.startsWith('ja') ? 'ja' : 'en');
    this.#theme = readChoice(THEME_KEY, themes) ?? 'system';
    this.#keepAwake = readChoice(AWAKE_KEY, ['yes']) !== null;
    this.#apply();
  }

  get locale(): Locale {
    return this.#locale;
  }

  get theme(): Theme {
    return this.#theme;
  }

  get text(): Text {
    return textOf(this.#locale);
  }

  setLocale(locale: Locale): void {
    this.#locale = locale;
    writeChoice(LOCALE_KEY, locale);
    this.#apply();
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    writeChoice(THEME_KEY, theme);
    this.#apply();
  }

  /** Whether this computer shall stay awake while files are sent. @default false */
  get keepAwake(): boolean {
    return this.#keepAwake;
  }

  setKeepAwake(keepAwake: boolean): void {
    this.#keepAwake = keepAwake;
    writeChoice(AWAKE_KEY, keepAwake ? 'yes' : 'no');
    this.changed.emit();
  }

  #apply(): void {
    const root = document.documentElement;
    root.lang = this.#locale;
    if (this.#theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = this.#theme;
    // Without the network they do not come: then the words of the server are shown.
    loadErrorWords(this.#locale).then(
      () => this.changed.emit(),
      () => undefined,
    );
    this.changed.emit();
  }
}
