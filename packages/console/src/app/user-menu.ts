import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { icon } from '../ui/icons.ts';
import { segmentField } from '../ui/segments.ts';
import type { App } from './app.ts';
import { locales, themes } from './preferences.ts';
import { pagePaths } from './router.ts';

type MenuPage = 'users' | 'tokens' | 'audit' | 'system' | 'settings';

const ownPages: readonly MenuPage[] = ['tokens', 'settings'];
const adminPages: readonly MenuPage[] = ['users', 'tokens', 'audit', 'system', 'settings'];

const languageNames = { en: 'English', ja: '日本語' } as const;

/**
 * Chooses the language: in the menu, on the settings page, and on pages without a menu.
 *
 * @param group name of the radio buttons: unique in the page
 */
export function languageChoice({ preferences, text }: App, group = 'menu'): TemplateResult {
  return segmentField({
    name: `${group}-locale`,
    label: text.shell.language,
    value: preferences.locale,
    choices: locales.map((locale) => ({ value: locale, label: languageNames[locale], lang: locale })),
    change: (locale) => preferences.setLocale(locale),
  });
}

/** @param group as in {@link languageChoice} */
export function themeChoice({ preferences, text }: App, group = 'menu'): TemplateResult {
  return segmentField({
    name: `${group}-theme`,
    label: text.shell.theme,
    value: preferences.theme,
    choices: themes.map((theme) => ({ value: theme, label: text.shell.themes[theme] })),
    change: (theme) => preferences.setTheme(theme),
  });
}

export class UserMenu extends ConsoleElement<App> {
  protected override observed(): Emitter[] {
    const pausing = this.app.signedIn?.operations.pausing;
    return [...super.observed(), this.app.router.changed, ...(pausing === undefined ? [] : [pausing])];
  }

  protected override render(): TemplateResult {
    const user = this.app.session.current?.user;
    const { shell } = this.text;
    const name = user?.name ?? '';
    return html`<button
        class="button quiet small"
        popovertarget="user-menu"
        aria-label=${shell.userMenu(name)}
      >
        ${icon('user', 'only-narrow')}<bdi class="user-name" translate="no">${name}</bdi
        >${icon('chevron', 'only-wide')}
      </button>
      <div class="menu" id="user-menu" popover>
        <p class="who">
          <strong><bdi translate="no">${name}</bdi></strong>
          <span class="muted">${user === undefined ? '' : shell.roles[user.role]}</span>
        </p>
        ${this.#links(user?.role === 'admin' ? adminPages : ownPages)} ${languageChoice(this.app)}
        ${themeChoice(this.app)} ${this.#pause()}
        <button class="button quiet" @click=${() => void this.#signOut()}>
          ${icon('exit')}${shell.signOut}
        </button>
      </div>`;
  }

  #links(names: readonly MenuPage[]): TemplateResult {
    return html`<nav class="menu-links" aria-label=${this.text.shell.morePages}>
      ${names.map(
        (name) =>
          html`<a
            href=${pagePaths[name]}
            aria-current=${this.app.router.page === name ? 'page' : 'false'}
            @click=${this.#onLink}
            >${this.text.shell.menuPages[name]}</a
          >`,
      )}
    </nav>`;
  }

  readonly #onLink = (event: MouseEvent): void => {
    this.querySelector<HTMLElement>('#user-menu')?.hidePopover();
    this.app.router.onLink(event);
  };

  #pause(): TemplateResult | typeof nothing {
    const operations = this.app.signedIn?.operations;
    if (operations === undefined) return nothing;
    const { pause } = this.text;
    const turn = (): void => {
      if (operations.isPaused) operations.resume();
      else operations.pause();
      this.requestUpdate();
    };
    return html`<button class="button quiet" aria-pressed=${String(operations.isPaused)} @click=${turn}>
      ${icon('pause')}${pause.pause}
    </button>`;
  }

  async #signOut(): Promise<void> {
    try {
      await this.app.session.signOut();
    } catch (error) {
      this.app.showError(error);
    }
  }
}
