import type { FirstBootProfile } from '@wcc/api';
import { html, nothing } from 'lit';
import type { CSSResult, PropertyDeclarations, TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { areaField, textField } from '../ui/fields.ts';
import { FormElement } from '../ui/form-element.ts';
import { fields } from '../ui/styles/fields.ts';
import { findProfileProblem, toProfile } from './profile-fields.ts';
import { accessTextOf } from './text/catalogue.ts';
import type { AccessText } from './text/text.ts';

/** The first-boot profile that quick-create applies to every machine of this user. */
export class ProfileForm extends FormElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...FormElement.properties,
    user: { state: true },
    sshKeys: { state: true },
    isLoaded: { state: true },
    isDone: { state: true },
  };
  declare user: string;
  /** One per line. */
  declare sshKeys: string;
  declare isLoaded: boolean;
  declare isDone: boolean;
  protected readonly idPrefix = 'profile';

  constructor() {
    super();
    this.user = '';
    this.sshKeys = '';
    this.isLoaded = false;
    this.isDone = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  protected override styles(): readonly CSSResult[] {
    return [fields];
  }

  get #text(): AccessText['settings']['profile'] {
    return accessTextOf(this.app.preferences).settings.profile;
  }

  protected override render(): TemplateResult {
    const text = this.#text;
    if (!this.isLoaded) return this.#missing();
    const wordsOf = (field: string): string | null =>
      this.fieldError?.field === field ? this.fieldError.message : null;
    return html`<form @submit=${(event: SubmitEvent) => void this.#submit(event)} novalidate>
      ${this.problemBox()}
      ${textField({
        id: 'profile-user',
        label: text.user,
        value: this.user,
        change: (user) => this.#change({ user }),
        note: wordsOf('user') ?? text.userHint,
        isBad: wordsOf('user') !== null,
      })}
      ${areaField({
        id: 'profile-sshKeys',
        label: text.sshKeys,
        value: this.sshKeys,
        rows: 4,
        change: (sshKeys) => this.#change({ sshKeys }),
        note: wordsOf('sshKeys') ?? text.sshKeysHint,
        isBad: wordsOf('sshKeys') !== null,
        placeholder: 'ssh-ed25519 AAAA…',
      })}
      <div>
        <button class="button primary" aria-disabled=${String(this.busy)}>
          ${this.busy ? text.busy : text.save}
        </button>
      </div>
      ${this.isDone ? html`<p class="note good">${text.saved}</p>` : nothing}
    </form>`;
  }

  /** Shows no form until the profile is loaded, because saving would overwrite unknown values. */
  #missing(): TemplateResult {
    if (this.problem === null) return html`<p class="muted">${this.text.shell.loading}</p>`;
    const { tryAgain } = this.text.shell;
    return html`${this.problemBox()}
      <div><button class="button" @click=${() => void this.#load()}>${tryAgain}</button></div>`;
  }

  #change(part: { user: string } | { sshKeys: string }): void {
    Object.assign(this, part);
    this.fieldError = null;
    this.isDone = false;
  }

  #take({ user, sshKeys }: FirstBootProfile): void {
    this.user = user ?? '';
    this.sshKeys = sshKeys.join('\n');
    this.isLoaded = true;
  }

  async #load(): Promise<void> {
    await this.send(async () => this.#take(await this.app.api.profile()));
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const text = this.#text;
    this.isDone = false;
    const problem = findProfileProblem(this);
    if (problem !== null) {
      const { field, why, line } = problem;
      return this.showFieldError({ field, message: text.problems[why](line) });
    }
    this.isDone = await this.send(async () => this.#take(await this.app.api.changeProfile(toProfile(this))));
    if (this.isDone) this.app.announcer.say(text.saved);
  }
}
