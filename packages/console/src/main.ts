import { WccProgressElement } from '@wcc/progress/element';
import { LiveRow } from './components/live-row.ts';
import { TrayPanel } from './components/tray.ts';
import { UserMenu } from './components/user-menu.ts';
import { WccConsole } from './components/wcc-console.ts';
import { FirstSignIn } from './pages/first-sign-in.ts';
import { SignInForm } from './pages/sign-in.ts';

customElements.define('wcc-progress', WccProgressElement);
customElements.define('wcc-live-row', LiveRow);
customElements.define('wcc-user-menu', UserMenu);
customElements.define('wcc-sign-in', SignInForm);
customElements.define('wcc-first-sign-in', FirstSignIn);
customElements.define('wcc-tray', TrayPanel);
// Last: it is in the page already and renders at once, with all of the above in place.
customElements.define('wcc-console', WccConsole);
