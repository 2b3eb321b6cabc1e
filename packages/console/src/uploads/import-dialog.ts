import { findImageNameProblem } from '@wcc/api';
import type { ImportFacts } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { ContentRemark } from '@wcc/api/content';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { OperationDialog } from '../operations/operation-dialog.ts';
import { size } from '../text/format.ts';
import { valueOf } from '../ui/form-value.ts';
import { icon } from '../ui/icons.ts';
import { createKeys } from '../ui/idempotency.ts';
import { uploadsTextOf } from './text/catalogue.ts';
import type { UploadsText } from './text/text.ts';
import { isDigest } from './upload-form.ts';

/** Imports an image from an address. */
export class ImportDialog extends OperationDialog {
  static override readonly properties: PropertyDeclarations = {
    ...OperationDialog.properties,
    facts: { state: true },
  };
  /** What the other server says of the file at the address in the field. */
  declare facts: ImportFacts | null;
  protected readonly idPrefix = 'import';

  constructor() {
    super();
    this.facts = null;
  }

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
      body: html`<div class="fields" @input=${this.#propose} @change=${this.#ask}>
        ${this.input('url', { label: text.address, hint: text.addressHint })}
        ${this.facts === null ? nothing : this.#facts(this.facts)} ${this.input('name', { label: text.name })}
        ${this.input('sha256', { label: text.digest, hint: text.digestHint })}
      </div>`,
      note: text.importNote,
      buttons: this.buttons(html`${icon('download')}${this.busy ? text.busy : text.importSubmit}`),
      submit: (form) => void this.#submit(form),
    });
  }

  /** Proposes the last part of the address, until the user types a name. */
  readonly #propose = (event: Event): void => {
    if (event.target !== this.inputOf('url')) return;
    this.facts = null;
    const last =
      addressOf(this.inputOf('url')?.value ?? '')
        ?.pathname.split('/')
        .at(-1) ?? '';
    this.#proposeName(decoded(last));
  };

  #proposeName(proposed: string): void {
    const name = this.inputOf('name');
    if (name === null || name.value !== this.#proposed) return;
    this.#proposed = proposed;
    name.value = proposed;
  }

  /** Asks the other server when the address is complete. Without an answer, the import itself shows what is wrong. */
  readonly #ask = async (event: Event): Promise<void> => {
    const url = this.inputOf('url')?.value.trim() ?? '';
    if (event.target !== this.inputOf('url') || addressOf(url) === null) return;
    const facts = await this.app.api.importFacts(url).catch((error: unknown) => {
      if (error instanceof ApiProblem) return null;
      throw error;
    });
    // The user may have typed on.
    if (facts === null || this.inputOf('url')?.value.trim() !== url) return;
    if (facts.refusal !== null) await this.signedIn.images.loadRefusalTexts();
    this.facts = facts;
    if (facts.name !== null) this.#proposeName(facts.name);
  };

  #facts({ format, sizeBytes, refusal, remarks }: ImportFacts): TemplateResult {
    const text = this.#text;
    if (refusal !== null) {
      const { message, hint } =
        this.signedIn.images.refusalText(refusal.reason, this.app.preferences.locale) ?? refusal;
      return html`<div class="problem" role="group">${icon('alert')}<span>${message} ${hint}</span></div>`;
    }
    const kind = format === null ? '' : text.kinds[format];
    const remark = text.remarks[remarks[0] as ContentRemark] ?? '';
    return html`<p class="muted">
      ${[kind, sizeBytes === null ? '' : size(sizeBytes), remark].filter((part) => part !== '').join(' · ')}
    </p>`;
  }

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
