import type { Image } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { imagePageOf, operationPageOf } from '../app/router.ts';
import { imagesTextOf } from './text/catalogue.ts';

/** Links to the users of an image: machines, images and operations. */
export function imageUsers(app: App, { usedBy }: Image): TemplateResult {
  const { users } = imagesTextOf(app.preferences).image;
  const pathOf = ({ kind, id }: Image['usedBy'][number]): string | null => {
    if (kind === 'image') return imagePageOf(Number(id));
    return kind === 'operation' ? operationPageOf(String(id)) : null;
  };
  return html`<ul class="users">
    ${usedBy.map((user) => {
      const path = pathOf(user);
      const name = html`<bdi translate="no">${user.name}</bdi>`;
      return html`<li>
        <span class="muted">${users[user.kind]}</span>
        ${path === null ? name : html`<a href=${path} @click=${app.router.onLink}>${name}</a>`}
      </li>`;
    })}
  </ul>`;
}
