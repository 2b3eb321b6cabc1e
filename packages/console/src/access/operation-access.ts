import type { Grant, GrantLevel, Share } from '@wcc/api';
import type { ApiProblem } from '@wcc/api/client';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { isUserName } from '../app/credentials.ts';
import { clockTime } from '../text/format.ts';
import type { Question } from '../ui/confirm-dialog.ts';
import type { Emitter } from '../ui/emitter.ts';
import { FormElement } from '../ui/form-element.ts';
import { valueOf } from '../ui/form-value.ts';
import { icon } from '../ui/icons.ts';
import { PagedList } from '../ui/paged-list.ts';
import { accessTextOf } from './text/catalogue.ts';
import type { AccessText } from './text/text.ts';

const levels: readonly GrantLevel[] = ['watch', 'control'];

/** Shares one operation with users and by links. Shown to users who may share the operation. */
export class OperationAccess extends FormElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormElement.properties,
    operation: { type: String },
    isLinking: { state: true },
    question: { state: true },
  };
  declare operation: string;
  declare isLinking: boolean;
  declare question: Question | null;
  protected readonly idPrefix = 'grant';
  readonly #grants: PagedList<Grant> = new PagedList(() => this.app.api.grants(this.operation));
  readonly #shares: PagedList<Share> = new PagedList(() => this.app.api.shares(this.operation));
  #shown = '';

  constructor() {
    super();
    this.isLinking = false;
    this.question = null;
  }

  protected override observed(): Emitter[] {
    return [...super.observed(), this.#grants.changed, this.#shares.changed];
  }

  protected override willUpdate(): void {
    if (this.#shown === this.operation) return;
    this.#shown = this.operation;
    void this.#grants.load();
    void this.#shares.load();
  }

  get #text(): AccessText['access'] {
    return accessTextOf(this.app.preferences).access;
  }

  protected override messageFor(error: ApiProblem): string {
    return error.field === 'userName' ? this.#text.noSuchUser : super.messageFor(error);
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    return html`<section class="card panel access" aria-label=${text.title}>
      <h2>${text.title}</h2>
      <div>
        <h3>${text.people}</h3>
        <p class="muted">${text.peopleLead}</p>
      </div>
      ${this.#people()} ${this.#shareForm()}
      <div>
        <h3>${text.links}</h3>
        <p class="muted">${text.linksLead}</p>
      </div>
      ${this.#links()}
      <div>
        <button class="button" @click=${() => (this.isLinking = true)}>
          ${icon('plus')}${text.createLink}
        </button>
      </div>
      ${this.#dialogs()}
    </section>`;
  }

  #people(): TemplateResult {
    const text = this.#text;
    const { items, isLoaded } = this.#grants;
    if (items.length === 0)
      return html`<p class="muted">${isLoaded ? text.none : this.text.shell.loading}</p>`;
    return html`<ul class="holders">
      ${items.map(
        (grant) =>
          html`<li>
            <span>
              <bdi class="name" translate="no">${grant.userName}</bdi>
              <span class="muted">${text.levels[grant.level]} · ${text.by(grant.grantedBy)}</span>
            </span>
            <button
              class="button small"
              aria-label=${text.revokeFrom(grant.userName)}
              @click=${() => void this.#unshare(grant)}
            >
              ${accessTextOf(this.app.preferences).revoke}
            </button>
          </li>`,
      )}
    </ul>`;
  }

  #shareForm(): TemplateResult {
    const text = this.#text;
    return html`<form class="give" @submit=${(event: SubmitEvent) => void this.#share(event)} novalidate>
      ${this.problemBox()} ${this.input('userName', { label: text.userName })}
      <label class="field"
        ><span class="label">${text.level}</span
        ><select class="select" name="level">
          ${levels.map((level) => html`<option value=${level}>${text.levels[level]}</option>`)}
        </select></label
      >
      <button class="button" aria-disabled=${String(this.busy)}>${text.add}</button>
    </form>`;
  }

  #links(): TemplateResult {
    const text = this.#text;
    const { items, isLoaded } = this.#shares;
    if (items.length === 0)
      return html`<p class="muted">${isLoaded ? text.noLinks : this.text.shell.loading}</p>`;
    const until = ({ expiresAt }: Share): string => text.until(clockTime(expiresAt, this.app.times));
    return html`<ul class="holders">
      ${items.map(
        (share) =>
          html`<li>
            <span>
              <bdi class="name">${nameOf(share, text)}</bdi>
              <span class="muted">${until(share)} · ${text.by(share.createdBy)}</span>
            </span>
            <button
              class="button small"
              aria-label=${text.revokeLink(nameOf(share, text))}
              @click=${() => this.#ask(share)}
            >
              ${accessTextOf(this.app.preferences).revoke}
            </button>
          </li>`,
      )}
    </ul>`;
  }

  #dialogs(): TemplateResult {
    const link = html`<wcc-share-dialog
      .app=${this.app}
      .operation=${this.operation}
      .onSaved=${() => void this.#shares.load()}
      .onClosed=${() => (this.isLinking = false)}
    ></wcc-share-dialog>`;
    const confirm = html`<wcc-confirm-dialog
      .app=${this.app}
      .question=${this.question}
      .onClosed=${() => (this.question = null)}
    ></wcc-confirm-dialog>`;
    return html`${this.isLinking ? link : nothing} ${this.question === null ? nothing : confirm}`;
  }

  async #share(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const form = event.target;
    const text = this.#text;
    const userName = valueOf(form, 'userName').trim();
    if (!isUserName(userName)) return this.showFieldError({ field: 'userName', message: text.noSuchUser });
    const level = valueOf(form, 'level') as GrantLevel;
    const isDone = await this.send(async () => {
      await this.app.api.createGrant(this.operation, { userName, level });
    });
    if (!isDone) return;
    form.reset();
    this.app.announcer.say(text.given(userName));
    await this.#grants.load();
  }

  async #unshare({ userId, userName }: Grant): Promise<void> {
    const isDone = await this.send(() => this.app.api.revokeGrant(this.operation, userId));
    if (isDone) this.app.announcer.say(this.#text.taken(userName));
    await this.#grants.load();
  }

  #ask({ id }: Share): void {
    const text = this.#text;
    this.question = {
      title: text.revokeTitle,
      text: text.revokeWords,
      verb: accessTextOf(this.app.preferences).revoke,
      run: async () => {
        await this.app.api.revokeShare(this.operation, id);
        this.app.announcer.say(text.linkRevoked);
        await this.#shares.load();
      },
    };
  }
}

function nameOf({ name }: Share, text: AccessText['access']): string {
  return name === '' ? text.unnamed : text.linkFor(name);
}
