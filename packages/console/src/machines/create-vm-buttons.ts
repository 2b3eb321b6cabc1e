import type { ImageId } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { lazyPart } from '../app/lazy.ts';
import { vmPageOf, pagePaths } from '../app/router.ts';
import { icon } from '../ui/icons.ts';
import type { VmsText } from './text/text.ts';

/** The two ways to create a machine, for the head of a page. */
export function createVmButtons({ router }: App, words: VmsText, onQuickCreate: () => void): TemplateResult {
  return html`<div class="end">
    <a class="button" href=${pagePaths.createVm} @click=${router.onLink}>${icon('plus')}${words.create}</a>
    <button class="button primary" @click=${onQuickCreate}>${icon('bolt')}${words.quick}</button>
  </div>`;
}

export interface QuickCreateOptions {
  /** Id of the image that is preselected. @default 0: none */
  imageId?: ImageId;
  onClosed: () => void;
}

/** The quick-create dialog; leads to the page of the new machine once its operation exists. */
export function quickCreate(app: App, { imageId = 0, onClosed }: QuickCreateOptions): TemplateResult {
  const onCreated = (id: number | string | null): void => {
    if (id !== null) app.router.go(vmPageOf(id));
  };
  return lazyPart(
    'quickCreate',
    app,
    () =>
      html`<wcc-quick-create-dialog
        .app=${app}
        .imageId=${imageId}
        .onCreated=${onCreated}
        .onClosed=${onClosed}
      ></wcc-quick-create-dialog>`,
  );
}
