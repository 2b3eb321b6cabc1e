import { html } from 'lit';
import type { App } from './app/app.ts';
import { lazyPart } from './app/lazy.ts';
import { pagePaths } from './app/router.ts';
import type { Page, Pages } from './app/wcc-console.ts';

const home: Page = (app) => lazyPart('home', app, () => html`<wcc-home-page .app=${app}></wcc-home-page>`);

/** The element that each page shows to a signed-in user. */
export const pages: Pages = {
  home,
  // A signed-in user does not need the one-time sign-in link.
  firstSignIn: home,
  vms: (app) => lazyPart('machines', app, () => html`<wcc-machines-page .app=${app}></wcc-machines-page>`),
  vm: (app) => lazyPart('machines', app, () => html`<wcc-machine-page .app=${app}></wcc-machine-page>`),
  createVm: (app) =>
    lazyPart('create', app, () => html`<wcc-create-machine-page .app=${app}></wcc-create-machine-page>`),
  images: (app) => lazyPart('images', app, () => html`<wcc-images-page .app=${app}></wcc-images-page>`),
  image: (app) => lazyPart('images', app, () => html`<wcc-image-page .app=${app}></wcc-image-page>`),
  operations: (app) =>
    lazyPart('operations', app, () => html`<wcc-operations-page .app=${app}></wcc-operations-page>`),
  operation: (app) =>
    lazyPart('operations', app, () => html`<wcc-operation-page .app=${app}></wcc-operation-page>`),
  users: (app) => lazyPart('access', app, () => html`<wcc-users-page .app=${app}></wcc-users-page>`),
  tokens: (app) => lazyPart('access', app, () => html`<wcc-tokens-page .app=${app}></wcc-tokens-page>`),
  audit: (app) => lazyPart('access', app, () => html`<wcc-audit-page .app=${app}></wcc-audit-page>`),
  system: (app) => lazyPart('system', app, () => html`<wcc-system-page .app=${app}></wcc-system-page>`),
  settings: (app) => lazyPart('access', app, () => html`<wcc-settings-page .app=${app}></wcc-settings-page>`),
  shared: (app) => lazyPart('shared', app, () => html`<wcc-shared-page .app=${app}></wcc-shared-page>`),
  unknown: ({ text, router }: App) =>
    html`<div class="centre">
      <h1>${text.shell.noSuchPage}</h1>
      <a class="button" href=${pagePaths.home} @click=${router.onLink}>${text.shell.toHome}</a>
    </div>`,
};
