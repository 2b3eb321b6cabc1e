import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from './app/app.ts';
import { pagePaths } from './app/router.ts';
import type { PageName } from './app/router.ts';
import { lazyPart } from './app/lazy.ts';

type Page = (app: App) => TemplateResult;

const home: Page = (app) => lazyPart('home', app, () => html`<wcc-home-page .app=${app}></wcc-home-page>`);

const access = (app: App, render: () => TemplateResult): TemplateResult => lazyPart('access', app, render);

/** The table of pages: which element each address shows to somebody signed in. */
const pages: Readonly<Record<PageName, Page>> = {
  home,
  image: (app) => lazyPart('image', app, () => html`<wcc-image-page .app=${app}></wcc-image-page>`),
  // Whoever is signed in already has no use for the link.
  firstSignIn: home,
  machines: (app) =>
    lazyPart('machines', app, () => html`<wcc-machines-page .app=${app}></wcc-machines-page>`),
  machine: (app) => lazyPart('machines', app, () => html`<wcc-machine-page .app=${app}></wcc-machine-page>`),
  createMachine: (app) =>
    lazyPart('create', app, () => html`<wcc-create-machine-page .app=${app}></wcc-create-machine-page>`),
  images: (app) => lazyPart('images', app, () => html`<wcc-images-page .app=${app}></wcc-images-page>`),
  operations: (app) =>
    lazyPart('operation', app, () => html`<wcc-operations-page .app=${app}></wcc-operations-page>`),
  operation: (app) =>
    lazyPart('operation', app, () => html`<wcc-operation-page .app=${app}></wcc-operation-page>`),
  users: (app) => access(app, () => html`<wcc-users-page .app=${app}></wcc-users-page>`),
  tokens: (app) => access(app, () => html`<wcc-tokens-page .app=${app}></wcc-tokens-page>`),
  audit: (app) => access(app, () => html`<wcc-audit-page .app=${app}></wcc-audit-page>`),
  settings: (app) => access(app, () => html`<wcc-settings-page .app=${app}></wcc-settings-page>`),
  shared: (app) => lazyPart('shared', app, () => html`<wcc-shared-page .app=${app}></wcc-shared-page>`),
  unknown: ({ text, router }) =>
    html`<div class="centre">
      <h1>${text.shell.noSuchPage}</h1>
      <a class="button" href=${pagePaths.home} @click=${router.onLink}>${text.shell.toHome}</a>
    </div>`,
};

export function pageOf(name: PageName, app: App): TemplateResult {
  return pages[name](app);
}
