import type { CSSResultGroup } from 'lit';
import { access } from './access/styles.ts';
import { FirstSignIn } from './app/first-sign-in.ts';
import type { LazyLoaders } from './app/lazy-parts.ts';
import { SignInForm } from './app/sign-in.ts';
import { shell } from './app/styles.ts';
import { UserMenu } from './app/user-menu.ts';
import { WccConsole } from './app/wcc-console.ts';
import { images } from './images/styles.ts';
import { LiveRow } from './operations/live-row.ts';
import { operation } from './operations/operation-styles.ts';
import { operations } from './operations/styles.ts';
import { tray } from './operations/tray-styles.ts';
import { TrayPanel } from './operations/tray.ts';
import { pages } from './pages.ts';
import { openSignedIn } from './signed-in.ts';
import { controls } from './ui/styles/controls.ts';
import { dialog } from './ui/styles/dialog.ts';
import { menu } from './ui/styles/menu.ts';
import { tokens } from './ui/styles/tokens.ts';

/** The parts that are loaded when they are first shown. */
const lazyLoaders: LazyLoaders = {
  access: () => import('./access/elements.ts'),
  create: () => import('./machines/create/elements.ts'),
  home: () => import('./home/elements.ts'),
  images: () => import('./images/elements.ts'),
  machines: () => import('./machines/elements.ts'),
  operations: () => import('./operations/elements.ts'),
  quickCreate: () => import('./machines/quick-create/elements.ts'),
  row: async () => (await import('./operations/row-element.ts')).defineRow(),
  shared: () => import('./access/shared/elements.ts'),
  system: () => import('./system/elements.ts'),
  uploads: () => import('./uploads/elements.ts'),
};

/** The console with all its features. */
class Console extends WccConsole {
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

  constructor() {
    super({ pages, lazyLoaders, openSignedIn });
  }
}

customElements.define('wcc-live-row', LiveRow);
customElements.define('wcc-user-menu', UserMenu);
customElements.define('wcc-sign-in', SignInForm);
customElements.define('wcc-first-sign-in', FirstSignIn);
customElements.define('wcc-tray', TrayPanel);
// Last: `<wcc-console>` is in the page already and renders at once, with the elements above.
customElements.define('wcc-console', Console);
