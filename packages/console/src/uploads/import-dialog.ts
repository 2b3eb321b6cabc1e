import { findImageNameProblem } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { valueOf } from '../ui/form-value.ts';
import { createKeys } from '../ui/idempotency.ts';
import { isDigest } from './upload-form.ts';
import type { UploadsText } from './text/text.ts';
import { uploadsTextOf } from './text/catalogue.ts';
import { FormDialog } from '../ui/form-dialog.ts';
import { icon } from '../ui/icons.ts';

/** From which address the server shall fetch an image; closes once the operation exists. */
export class ImportDialog extends FormDialog<App> {
  protected readonly idPrefix = 'import';
  readonly #keyOf = createKeys();
  /** The name that the address proposes, until somebody chooses another. */
  #proposed = '';

  protected get closeWord(): string {
    return this.#text.close;
  }

  get #text(): UploadsText {
    return uploadsTextOf(this.app.preferences);
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    return this.frame({
      title: text.importTitle,
      lead: text.importLead,
      body: html`<div class="fields" @input=${this.#propose}>
        ${this.input('url', { label: text.address, hint: text.addressHint })}
        ${this.input('name', { label: text.name })}
        ${this.input('sha256', { label: text.digest, hint: text.digestHint })}
      </div>`,
      note: text.importNote,
      buttons: html`<button type="button" class="button" @click=${() => this.close()}>${text.close}</button>
        <button class="button primary" aria-disabled=${String(this.busy)}>
          ${icon('download')}${this.busy ? text.busy : text.importSubmit}
        </button>`,
      submit: (form) => void this.#submit(form),
    });
  }

  /** The last part of the address is what most people call the image. */
  readonly #propose = (event: Event): void => {
    const name = this.inputOf('name');
    if (event.target !== this.inputOf('url') || name === null || name.value !== this.#proposed) return;
    const last =
      addressOf(this.inputOf('url')?.value ?? '')
        ?.pathname.split('/')
        .at(-1) ?? '';
    this.#proposed = decoded(last);
    name.value = this.#proposed;
  };

  async #submit(form: HTMLFormElement): Promise<void> {
    const text = this.#text;
    const [url, name, sha256] = [
      valueOf(form, 'url').trim(),
      valueOf(form, 'name'),
      valueOf(form, 'sha256').trim(),
    ];
    if (addressOf(url) === null) return this.showFieldError({ field: 'url', words: text.badAddress });
    const problem = findImageNameProblem(name);
    if (problem !== null)
      return this.showFieldError({ field: 'name', words: this.text.imageName.problems[problem] });
    if (sha256 !== '' && !isDigest(sha256))
      return this.showFieldError({ field: 'sha256', words: text.badDigest });
    const body = { url, name, ...(sha256 === '' ? {} : { sha256: sha256.toLowerCase() }) };
    const isBegun = await this.send(async () => {
      const { operation } = await this.app.api.importImage(body, this.#keyOf(body));
      this.signedIn.operations.offer(operation);
    });
    if (isBegun) this.close();
  }
}

function addressOf(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign: taken as it is written.
    return text;
  }
}
