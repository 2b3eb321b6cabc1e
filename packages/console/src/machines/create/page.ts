import type { FirstBootProfile } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { html, nothing } from 'lit';
import type { CSSResult, PropertyDeclarations, TemplateResult } from 'lit';
import { vmPageOf, pagePaths } from '../../app/router.ts';
import { icon } from '../../ui/icons.ts';
import { createKeys } from '../../ui/idempotency.ts';
import { problemBox } from '../../ui/problem.ts';
import { hypervisorNote } from '../hypervisor-note.ts';
import { VmElement } from '../machine-element.ts';
import { createSteps, emptyCreateForm, findCreateProblems, toCreateRequest } from './form.ts';
import type { CreateProblem, CreateForm, CreateStep, CreateResources } from './form.ts';
import { createStepViews } from './steps.ts';
import { wizard } from './styles.ts';

/** Creates a machine step by step; fields are checked while the user types. */
export class CreateVmPage extends VmElement {
  static override readonly properties: PropertyDeclarations = {
    ...VmElement.properties,
    step: { state: true },
    form: { state: true },
    profile: { state: true },
    problem: { state: true },
    busy: { state: true },
    seen: { state: true },
  };
  declare step: CreateStep;
  declare form: CreateForm;
  declare profile: FirstBootProfile | null;
  declare problem: unknown;
  declare busy: boolean;
  /** Visited steps. The page marks problems in these steps only. */
  declare seen: ReadonlySet<CreateStep>;
  readonly #keyOf = createKeys();
  #hasPreselected = false;

  constructor() {
    super();
    this.step = 'basics';
    this.form = emptyCreateForm();
    this.profile = null;
    this.problem = null;
    this.busy = false;
    this.seen = new Set();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#loadProfile();
  }

  protected override styles(): readonly CSSResult[] {
    return [...super.styles(), wizard];
  }

  protected override willUpdate(): void {
    this.#preselectImage();
  }

  /**
   * Preselects the image of the query, once the images are loaded: as a disk, or as the disc in the drive.
   */
  #preselectImage(): void {
    if (this.#hasPreselected || !this.signedIn.images.isLoaded) return;
    this.#hasPreselected = true;
    const browserLanguage = Number(new URLSearchParams(this.app.router.search).get('image') ?? 0);
    const image = this.signedIn.images.all.find(({ id }) => id === browserLanguage);
    if (image?.format === 'iso') this.form = { ...this.form, cdrom: image.id };
    else if (image !== undefined)
      this.form = {
        ...this.form,
        disks: [{ kind: 'copy', image: image.id, size: '', format: 'qcow2' }],
      };
  }

  get #resources(): CreateResources {
    const { all: images, pools } = this.signedIn.images;
    const { host, all: vms } = this.vms;
    return { images, pools, host, taken: vms.map(({ name }) => name) };
  }

  protected override firstUpdated(): void {
    this.#focusStep();
  }

  protected override render(): TemplateResult {
    const { making: text } = this.words;
    const problems = findCreateProblems(this.form, this.#resources);
    const { router } = this.app;
    return html`<a class="back" href=${pagePaths.vms} @click=${router.onLink}
        >${icon('back')}${this.words.back}</a
      >
      <div class="page-head"><h1>${text.title}</h1></div>
      ${hypervisorNote(this.vms.host, this.words)}
      <form
        class="card wizard"
        novalidate
        @submit=${(event: SubmitEvent) => {
          event.preventDefault();
          this.#next();
        }}
      >
        ${this.#nav(problems)}
        <div class="wizard-step">
          <h2 tabindex="-1">${text.steps[this.step]}</h2>
          ${problemBox(this.app, this.problem)}
          ${createStepViews[this.step]({
            app: this.app,
            words: this.words,
            form: this.form,
            resources: this.#resources,
            problems,
            profile: this.profile,
            change: (part) => this.#change(part),
            goTo: (step) => this.#goTo(step),
          })}
        </div>
        ${this.#foot(problems)}
      </form>`;
  }

  #nav(problems: readonly CreateProblem[]): TemplateResult {
    const { making: text } = this.words;
    return html`<nav class="wizard-nav" aria-label=${text.stepsLabel}>
      <ol>
        ${createSteps.map((step, index) => {
          const isBad = this.seen.has(step) && problems.some((problem) => problem.step === step);
          return html`<li>
            <button
              type="button"
              class=${isBad ? 'bad' : ''}
              aria-current=${step === this.step ? 'step' : 'false'}
              @click=${() => this.#goTo(step)}
            >
              <span class="number-of">${isBad ? icon('alert') : index + 1}</span>${text.steps[step]}${
                isBad ? html`<span class="visually-hidden">${text.incomplete}</span>` : nothing
              }
            </button>
          </li>`;
        })}
      </ol>
    </nav>`;
  }

  #foot(problems: readonly CreateProblem[]): TemplateResult {
    const { making: text } = this.words;
    const isLast = this.step === 'review';
    const isOff = this.busy || !this.signedIn.connection.isOnline || (isLast && problems.length > 0);
    const verb = this.busy ? this.words.busy : this.form.start ? text.submit : text.submitOff;
    return html`<footer class="foot">
      <p>
        ${this.signedIn.connection.isOnline ? (isLast ? text.leave : '') : this.text.shell.disabledOffline}
      </p>
      ${
        this.step === 'basics'
          ? nothing
          : html`<button type="button" class="button" @click=${() => this.#goTo(this.#neighbour(-1))}>
              ${text.previous}
            </button>`
      }
      <button class="button primary" aria-disabled=${String(isOff)}>${isLast ? verb : text.next}</button>
    </footer>`;
  }

  #neighbour(step: 1 | -1): CreateStep {
    return createSteps[createSteps.indexOf(this.step) + step] ?? this.step;
  }

  #goTo(step: CreateStep): void {
    const before = createSteps.slice(0, createSteps.indexOf(step));
    this.seen = new Set([...this.seen, this.step, ...before]);
    this.step = step;
    this.problem = null;
    void this.updateComplete.then(() => this.#focusStep());
  }

  /** Focuses the first field, or the heading when there is none. */
  #focusStep(): void {
    const first = this.querySelector<HTMLElement>('.wizard-step :is(input[type="text"], select, textarea)');
    (this.step === 'review' || first === null
      ? this.querySelector<HTMLElement>('.wizard-step h2')
      : first
    )?.focus();
  }

  #change(part: Partial<CreateForm>): void {
    this.form = { ...this.form, ...part };
    this.problem = null;
  }

  #next(): void {
    if (this.step !== 'review') return this.#goTo(this.#neighbour(1));
    const [problem] = findCreateProblems(this.form, this.#resources);
    if (problem !== undefined) return this.#goTo(problem.step);
    void this.#create();
  }

  async #create(): Promise<void> {
    if (this.busy || !this.signedIn.connection.isOnline) return;
    this.busy = true;
    this.problem = null;
    try {
      const request = toCreateRequest(this.form);
      const { operation } = await this.app.api.createVm(request, this.#keyOf(request));
      this.signedIn.operations.offer(operation);
      const { id } = operation.subject;
      this.app.router.go(id === null ? pagePaths.vms : vmPageOf(id));
    } catch (error) {
      this.#showError(error);
    } finally {
      this.busy = false;
    }
  }

  #showError(error: unknown): void {
    this.app.announceError(error);
    const field = error instanceof ApiProblem ? error.field : null;
    const step = field === null ? undefined : stepOf(field);
    if (step !== undefined) this.#goTo(step);
    this.problem = error;
  }

  /** The profile only prefills fields, so an error is ignored. */
  async #loadProfile(): Promise<void> {
    try {
      this.profile = await this.app.api.profile();
    } catch {
      this.profile = null;
    }
  }
}

/** The step that contains the field of a server error. */
function stepOf(field: string): CreateStep | undefined {
  if (field.startsWith('disks')) return 'disks';
  if (field.startsWith('firstBoot')) return 'firstBoot';
  if (field.startsWith('network')) return 'network';
  if (field === 'cpus' || field === 'memoryBytes') return 'cpu';
  return ['name', 'firmware', 'cdBus', 'pool'].includes(field) ? 'basics' : undefined;
}
