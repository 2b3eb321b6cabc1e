import { operationActions } from '@wcc/api';
import type { OperationState } from '@wcc/progress';
import { actionName } from '../text/operation-names.ts';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { inputValue } from '../ui/form-value.ts';
import { icon } from '../ui/icons.ts';
import { activeStates, formatFilter, isFiltered, noFilter } from './filter.ts';
import type { OperationFilter } from './filter.ts';
import { operationsTextOf } from './text/catalogue.ts';

type Choice = readonly [value: string, label: string];

/** The filter form of the operations page. Choices go into the address, which the page reads. */
export function operationFilters(app: App, filter: OperationFilter): TemplateResult {
  const { filters } = operationsTextOf(app.preferences).list;
  const set = (change: Partial<OperationFilter>): void =>
    app.router.replaceSearch(formatFilter({ ...filter, ...change }));
  const states = (text: string): OperationState[] =>
    text === '' ? [] : (text.split(',') as OperationState[]);
  return html`<form class="filters" role="search" aria-label=${filters.title} @submit=${onSubmit}>
    ${select(filters.state, {
      value: filter.states.join(','),
      choices: stateChoices(app, filter.states),
      set: (value) => set({ states: states(value) }),
    })}
    ${select(filters.action, {
      value: filter.action,
      choices: actionChoices(app, filter.action),
      set: (action) => set({ action }),
    })}
    ${
      app.session.current?.user.role === 'admin'
        ? select(filters.owner, {
            value: filter.isOwn ? 'me' : '',
            choices: [
              ['', filters.anyone],
              ['me', filters.mine],
            ],
            set: (value) => set({ isOwn: value === 'me' }),
          })
        : nothing
    }
    ${select(filters.subject, {
      value: filter.subject,
      choices: subjectChoices(app, filter.subject),
      set: (subject) => set({ subject }),
    })}
    ${day(filters.from, filter.from, (from) => set({ from }))}
    ${day(filters.to, filter.to, (to) => set({ to }))}
    ${
      isFiltered(filter)
        ? html`<button class="button quiet" type="button" @click=${() => set(noFilter)}>
            ${icon('close')}${filters.clear}
          </button>`
        : nothing
    }
  </form>`;
}

const onSubmit = (event: Event): void => event.preventDefault();

function select(
  label: string,
  options: { value: string; choices: readonly Choice[]; set: (value: string) => void },
): TemplateResult {
  const { value, choices, set } = options;
  return html`<label class="field"
    ><span class="label">${label}</span
    ><select class="select" @change=${(event: Event) => set(inputValue(event))}>
      ${choices.map(([each, text]) => html`<option value=${each} .selected=${each === value}>${text}</option>`)}
    </select></label
  >`;
}

function day(label: string, value: string, set: (value: string) => void): TemplateResult {
  return html`<label class="field"
    ><span class="label">${label}</span
    ><input type="date" .value=${value} @change=${(event: Event) => set(inputValue(event))}
  /></label>`;
}

/** Adds the current value to the choices when it is not one of them. */
function withCurrent(choices: readonly Choice[], current: Choice): readonly Choice[] {
  return choices.some(([value]) => value === current[0]) ? choices : [...choices, current];
}

function stateChoices({ preferences }: App, states: readonly OperationState[]): readonly Choice[] {
  const { filters, states: names } = operationsTextOf(preferences).list;
  const single = (
    ['queued', 'running', 'paused', 'interrupted', 'succeeded', 'failed', 'cancelled'] as const
  ).map((state): Choice => [state, names[state]]);
  return withCurrent(
    [['', filters.any], [activeStates.join(','), filters.runningOrWaiting], ...single],
    [states.join(','), states.map((state) => names[state]).join(', ')],
  );
}

function actionChoices(app: App, current: string): readonly Choice[] {
  const { locale } = app.preferences;
  const seen = app.signedIn?.operations.all.map(({ snapshot }) => snapshot.action) ?? [];
  const actions = [...new Set([...operationActions, ...seen, ...(current === '' ? [] : [current])])];
  const named = actions.map((action): Choice => [action, actionName(action, locale)]);
  return [['', operationsTextOf(app.preferences).list.filters.any], ...named];
}

function subjectChoices(app: App, current: string): readonly Choice[] {
  const images = app.signedIn?.images.all ?? [];
  const known = app.signedIn?.operations.all.find(
    ({ snapshot }) => `${snapshot.subject.kind}:${snapshot.subject.id}` === current,
  );
  return withCurrent(
    [
      ['', operationsTextOf(app.preferences).list.filters.any],
      ...images.map((image): Choice => [`image:${image.id}`, image.name]),
    ],
    [current, known?.snapshot.subject.name ?? current],
  );
}
