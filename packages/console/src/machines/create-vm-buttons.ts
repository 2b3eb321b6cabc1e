import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { machinePageOf, pagePaths } from '../app/router.ts';
import type { MachinesText } from './text/text.ts';
import { icon } from '../ui/icons.ts';

/** At the head of a page: step by step, or at once. */
export function waysToMachine({ router }: App, words: MachinesText, onQuick: () => void): TemplateResult {
  return html`<div class="end">
    <a class="button" href=${pagePaths.createMachine} @click=${router.onLink}
      >${icon('plus')}${words.create}</a
    >
    <button class="button primary" @click=${onQuick}>${icon('bolt')}${words.quick}</button>
  </div>`;
}

export interface QuickCreateOptions {
  /** Number of the image that somebody came from. @default 0: none */
  wished?: number;
  onClosed: () => void;
}

/** Leads straight to the page of the new machine, where its bar stands and then its screen. */
export function quickCreate(app: App, { wished = 0, onClosed }: QuickCreateOptions): TemplateResult {
  return html`<wcc-quick-create-dialog
    .app=${app}
    .wished=${wished}
    .onMade=${(id: number | string | null) => (id === null ? undefined : app.router.go(machinePageOf(id)))}
    .onClosed=${onClosed}
  ></wcc-quick-create-dialog>`;
}
