import type { Upload } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { size } from '../text/format.ts';
import type { Locale } from '../text/text.ts';
import { inputValue } from '../ui/form-value.ts';
import { icon } from '../ui/icons.ts';
import { FileReadError } from './engine/local-file.ts';
import { DigestUnavailable } from './engine/sample-digests.ts';
import { uploadsTextOf } from './text/catalogue.ts';
import type { UploadsText } from './text/text.ts';
import { percentOf } from './unfinished-uploads.ts';
import { isAboutName, isMisnamed } from './upload-form.ts';
import type { ChosenFile, FileProblem } from './upload-form.ts';

export interface UploadFileContext {
  app: App;
  chosen: ChosenFile;
  verdict: FileProblem;
  /** The unfinished upload that already has this name. */
  namesake: Upload | undefined;
  change: (part: Partial<ChosenFile>) => void;
  remove: () => void;
}

/** One file of the dialog: its kind, name and problems. */
export function uploadFile(context: UploadFileContext): TemplateResult {
  const { app, chosen, remove } = context;
  const text = uploadsTextOf(app.preferences);
  const { key, file, kind } = chosen;
  const what = formatName(kind, text);
  return html`<li class="file">
    <div class="file-head">
      <bdi class="file-name" translate="no">${file.name}</bdi>
      <span class="muted">${[size(file.size), what].filter((part) => part !== '').join(' · ')}</span>
      <button
        type="button"
        class="button quiet small remove"
        id="upload-remove-${key}"
        aria-label=${text.remove(file.name)}
        aria-describedby="upload-note-${key}"
        @click=${remove}
      >
        ${icon('close')}
      </button>
    </div>
    ${chosen.unfinished === null ? nothing : resumeField(context)}
    ${chosen.isResuming ? nothing : nameField(context)} ${noteOf(context)}
    ${chosen.isResuming ? nothing : digestField(context)}
  </li>`;
}

function resumeField({ app, chosen, change }: UploadFileContext): TemplateResult {
  const text = uploadsTextOf(app.preferences);
  const { unfinished, isResuming, key } = chosen;
  const at = percentOf(unfinished?.offsetBytes ?? 0, unfinished?.sizeBytes ?? 0);
  const choice = (value: boolean, words: string, note: string): TemplateResult =>
    html`<label class="check">
      <input
        type="radio"
        id="upload-${value ? 'resume' : 'new'}-${key}"
        name="resume-${key}"
        aria-describedby="upload-note-${key}"
        .checked=${isResuming === value}
        @change=${() => change({ isResuming: value })}
      />${words} ${note === '' ? nothing : html`<span class="note">${note}</span>`}
    </label>`;
  return html`<fieldset class="field resume" aria-label=${chosen.file.name}>
    ${choice(true, text.resume(unfinished?.name ?? '', at), text.resumeHint)} ${choice(false, text.asNew, '')}
  </fieldset>`;
}

function nameField({ app, chosen, verdict, change }: UploadFileContext): TemplateResult {
  const text = uploadsTextOf(app.preferences);
  const id = `upload-name-${chosen.key}`;
  return html`<div class="field">
    <label for=${id}>${text.name}<span class="visually-hidden"> ${chosen.file.name}</span></label>
    <input
      id=${id}
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
      .value=${chosen.name}
      @input=${(event: Event) => change({ name: inputValue(event) })}
      aria-invalid=${String(isAboutName(verdict))}
      aria-describedby="upload-note-${chosen.key}"
    />
  </div>`;
}

/** The problem of the file. Otherwise a warning, or a note that the name is free. */
function noteOf(context: UploadFileContext): TemplateResult {
  const { app, chosen, verdict } = context;
  const text = uploadsTextOf(app.preferences);
  const { imageName } = app.text;
  const id = `upload-note-${chosen.key}`;
  const note = (kind: string, words: string): TemplateResult =>
    html`<p class="note ${kind}" id=${id}>${words}</p>`;
  if (chosen.problem !== null) return note('bad', problemWords(app, chosen));
  if (verdict === null) {
    if (chosen.isResuming || chosen.kind === null) return note('', '\u00a0');
    if (isMisnamed(chosen)) return note('', text.otherThanName(formatName(chosen.kind, text)));
    const [remark] = chosen.kind === 'unreadable' ? [] : chosen.kind.remarks;
    return remark === undefined ? note('good', imageName.free) : note('', text.remarks[remark]);
  }
  return note('bad', verdictWords(context, verdict));
}

function formatName(kind: ChosenFile['kind'], text: UploadsText): string {
  return kind === null || kind === 'unreadable' || kind.format === null ? '' : text.kinds[kind.format];
}

function refusalWords(kind: ChosenFile['kind'], locale: Locale): string {
  if (kind === null || kind === 'unreadable' || kind.refusal === null) return '';
  const { message, hint } = kind.refusal[locale];
  return `${message} ${hint}`;
}

function verdictWords(
  { app, chosen, namesake }: UploadFileContext,
  verdict: NonNullable<FileProblem>,
): string {
  const text = uploadsTextOf(app.preferences);
  const { imageName } = app.text;
  const { kind, file } = chosen;
  const own: Partial<Record<NonNullable<FileProblem>, string>> = {
    taken: namesake === undefined ? imageName.taken : text.unfinishedName(size(namesake.sizeBytes)),
    twice: text.twice,
    bad_digest: text.badDigest,
    unreadable: text.unreadable,
    refused_kind: refusalWords(kind, app.preferences.locale),
    ...(file.size === 0 ? { empty: text.empty } : {}),
  };
  return own[verdict] ?? ({ ...imageName.problems } as Partial<Record<string, string>>)[verdict] ?? '';
}

function problemWords(app: App, { unfinished, problem }: ChosenFile): string {
  const text = uploadsTextOf(app.preferences);
  if (problem instanceof FileReadError) return text.unreadable;
  if (problem instanceof DigestUnavailable) return text.noDigest;
  const { message, hint, detail } = app.explain(problem);
  if (unfinished === null || !(problem instanceof ApiProblem) || problem.code !== 'wrong_file')
    return `${message} ${hint}`;
  return `${text.notThisFile(unfinished.name)} ${message} ${hint} ${detail}`.trim();
}

function digestField({ app, chosen, verdict, change }: UploadFileContext): TemplateResult {
  const text = uploadsTextOf(app.preferences);
  const id = `upload-digest-${chosen.key}`;
  return html`<details>
    <summary>${text.digest}<span class="visually-hidden"> ${chosen.file.name}</span></summary>
    <div class="field">
      <input
        id=${id}
        class="digest"
        aria-label=${text.digestOf(chosen.file.name)}
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        .value=${chosen.sha256}
        @input=${(event: Event) => change({ sha256: inputValue(event) })}
        aria-invalid=${String(verdict === 'bad_digest')}
        aria-describedby="${id}-note"
      />
      <p class="note" id="${id}-note">${text.digestHint}</p>
    </div>
  </details>`;
}
