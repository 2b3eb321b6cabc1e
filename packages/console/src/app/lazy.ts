import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from './app.ts';
import { icon } from '../ui/icons.ts';

/** Pages that most visits do not need: they are loaded when one of them is shown. */
export type LazyPart =
  'access' | 'create' | 'home' | 'image' | 'images' | 'machines' | 'operation' | 'shared' | 'uploads';

const loaders: Readonly<Record<LazyPart, () => Promise<unknown>>> = {
  access: () => import('../access/elements.ts'),
  create: () => import('../machines/create/elements.ts'),
  home: () => import('../home/elements.ts'),
  image: () => import('../images/image-elements.ts'),
  images: () => import('../images/elements.ts'),
  machines: () => import('../machines/elements.ts'),
  operation: () => import('../operations/elements.ts'),
  shared: () => import('../access/shared/elements.ts'),
  uploads: () => import('../uploads/elements.ts'),
};

const states = new Map<LazyPart, 'loading' | 'loaded' | 'failed'>();

/** What `render` gives, as soon as its elements are defined: before that they would not get their properties. */
export function lazyPart(part: LazyPart, app: App, render: () => TemplateResult): TemplateResult {
  const state = states.get(part);
  if (state === 'loaded') return render();
  if (state === undefined) void load(part, app);
  const { shell, images } = app.text;
  if (state !== 'failed') return html`<p class="muted">${shell.loading}</p>`;
  return html`<div class="problem" role="group">
    ${icon('alert')}<span>${shell.unreachable}</span>
    <button class="button" @click=${() => void load(part, app)}>${images.again}</button>
  </div>`;
}

async function load(part: LazyPart, app: App): Promise<void> {
  states.set(part, 'loading');
  try {
    await loaders[part]();
    states.set(part, 'loaded');
  } catch {
    // The browser keeps why; after an update of the server the old file is gone, and a reload brings the new one.
    states.set(part, 'failed');
  }
  app.router.changed.emit();
}
