import { ConfirmDialog } from '../ui/confirm-dialog.ts';
import { AuditPage } from './audit-page.ts';
import { OperationAccess } from './operation-access.ts';
import { PasswordForm } from './password-form.ts';
import { ProfileForm } from './profile-form.ts';
import { SecretBox } from './secret-box.ts';
import { SettingsPage } from './settings-page.ts';
import { ShareDialog } from './share-dialog.ts';
import { TokenDialog } from './token-dialog.ts';
import { TokensPage } from './tokens-page.ts';
import { UserDialog } from './user-dialog.ts';
import { UsersPage } from './users-page.ts';

/** The pages about users, tokens, the audit log and settings. */
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
