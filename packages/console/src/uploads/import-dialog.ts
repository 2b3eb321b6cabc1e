import { findImageNameProblem } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { OperationDialog } from '../operations/operation-dialog.ts';
import { valueOf } from '../ui/form-value.ts';
import { icon } from '../ui/icons.ts';
import { createKeys } from '../ui/idempotency.ts';
import { uploadsTextOf } from './text/catalogue.ts';
import type { UploadsText } from './text/text.ts';
import { isDigest } from './upload-form.ts';

/** Imports an image from an address. */
export class ImportDialog extends OperationDialog {
  protected readonly idPrefix = 'import';
  readonly #keyOf = createKeys();
  /** The name that was taken from the address. */
  #proposed = '';

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
      buttons: this.buttons(html`${icon('download')}${this.busy ? text.busy : text.importSubmit}`),
      submit: (form) => void this.#submit(form),
    });
  }

  /** Proposes the last part of the address, until the user types a name. */
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
    if (addressOf(url) === null) return this.showFieldError({ field: 'url', message: text.badAddress });
    const problem = findImageNameProblem(name);
    if (problem !== null)
      return this.showFieldError({ field: 'name', message: this.text.imageName.problems[problem] });
    if (sha256 !== '' && !isDigest(sha256))
      return this.showFieldError({ field: 'sha256', message: text.badDigest });
    const body = { url, name, ...(sha256 === '' ? {} : { sha256: sha256.toLowerCase() }) };
    await this.start(() => this.app.api.importImage(body, this.#keyOf(body)));
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
    // A malformed escape: kept as it is.
    return text;
  }
}
