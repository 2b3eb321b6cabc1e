import { textOf } from '../text/catalogue.ts';
import { loadErrorTexts } from '../text/errors.ts';
import { loadOperationNames } from '../text/operation-names.ts';
import type { Locale, Text } from '../text/text.ts';
import { Emitter } from '../ui/emitter.ts';
import { readChoice, writeText } from '../ui/storage.ts';

export type Theme = 'system' | 'light' | 'dark';

export const locales: readonly Locale[] = ['en', 'ja'];
export const themes: readonly Theme[] = ['system', 'light', 'dark'];

const localeKey = 'wcc.locale';
const themeKey = 'wcc.theme';
const awakeKey = 'wcc.awake';

/** Language, theme and wake lock. Defaults come from the browser; choices are stored in it. */
export class Preferences {
  readonly changed: Emitter = new Emitter();
  #locale: Locale;
  #theme: Theme;
  #keepAwake: boolean;

  constructor() {
    const browserLanguage = navigator.languages.find((tag) => /^(en|ja)\b/.test(tag)) ?? 'en';
    this.#locale = readChoice(localeKey, locales) ?? (browserLanguage.startsWith('ja') ? 'ja' : 'en');
    this.#theme = readChoice(themeKey, themes) ?? 'system';
    this.#keepAwake = readChoice(awakeKey, ['yes']) !== null;
    this.#apply();
  }

  get locale(): Locale {
    return this.#locale;
  }

  get theme(): Theme {
    return this.#theme;
  }

  get text(): Text {
    return textOf(this);
  }

  setLocale(locale: Locale): void {
    this.#locale = locale;
    writeText(localeKey, locale);
    this.#apply();
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    writeText(themeKey, theme);
    this.#apply();
  }

  /** Whether uploads keep this computer awake. @default false */
  get keepAwake(): boolean {
    return this.#keepAwake;
  }

  setKeepAwake(keepAwake: boolean): void {
    this.#keepAwake = keepAwake;
    writeText(awakeKey, keepAwake ? 'yes' : 'no');
    this.changed.emit();
  }

  #apply(): void {
    const root = document.documentElement;
    root.lang = this.#locale;
    if (this.#theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = this.#theme;
    // When loading fails, the server's English messages and the English names are shown.
    Promise.all([loadErrorTexts(this.#locale), loadOperationNames(this.#locale)]).then(
      () => this.changed.emit(),
      () => undefined,
    );
    this.changed.emit();
  }
}
