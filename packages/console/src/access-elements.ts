import { ConfirmDialog } from './components/confirm-dialog.ts';
import { OperationAccess } from './components/operation-access.ts';
import { PasswordForm } from './components/password-form.ts';
import { ProfileForm } from './components/profile-form.ts';
import { SecretBox } from './components/secret-box.ts';
import { ShareDialog } from './components/share-dialog.ts';
import { TokenDialog } from './components/token-dialog.ts';
import { UserDialog } from './components/user-dialog.ts';
import { AuditPage } from './pages/audit.ts';
import { SettingsPage } from './pages/settings.ts';
import { TokensPage } from './pages/tokens.ts';
import { UsersPage } from './pages/users.ts';

/** Who may do what: loaded with the first of these pages. */
customElements.define('wcc-secret-box', SecretBox);
customElements.define('wcc-confirm-dialog', ConfirmDialog);
customElements.define('wcc-user-dialog', UserDialog);
customElements.define('wcc-token-dialog', TokenDialog);
customElements.define('wcc-share-dialog', ShareDialog);
customElements.define('wcc-password-form', PasswordForm);
customElements.define('wcc-profile-form', ProfileForm);
customElements.define('wcc-operation-access', OperationAccess);
customElements.define('wcc-users-page', UsersPage);
customElements.define('wcc-tokens-page', TokensPage);
customElements.define('wcc-audit-page', AuditPage);
customElements.define('wcc-settings-page', SettingsPage);
