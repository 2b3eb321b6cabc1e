import { WccProgressElement } from '@wcc/progress/element';
import { LiveRow } from './operations/live-row.ts';
import { TrayPanel } from './operations/tray.ts';
import { UserMenu } from './app/user-menu.ts';
import { WccConsole } from './app/wcc-console.ts';
import { FirstSignIn } from './app/first-sign-in.ts';
import { SignInForm } from './app/sign-in.ts';

customElements.define('wcc-progress', WccProgressElement);
customElements.define('wcc-live-row', LiveRow);
customElements.define('wcc-user-menu', UserMenu);
customElements.define('wcc-sign-in', SignInForm);
customElements.define('wcc-first-sign-in', FirstSignIn);
customElements.define('wcc-tray', TrayPanel);
// Last: it is in the page already and renders at once, with all of the above in place.
customElements.define('wcc-console', WccConsole);
