import { html } from 'lit';
import type { TemplateResult } from 'lit';
import { size } from '../../text/format.ts';
import { checkField } from '../../ui/fields.ts';
import { needsFacts } from '../facts.ts';
import { parseDiskSize } from '../machine-form.ts';
import { needsOf } from './form.ts';
import type { CreateForm, CreateStep, DiskForm } from './form.ts';
import type { StepContext } from './step.ts';

/** The last step: all choices, and the required and free space. */
export function createReview(context: StepContext): TemplateResult {
  const { words, form, resources, change } = context;
  return html`<dl class="review">
      ${row(context, 'basics', [form.name === '' ? words.nameProblems.empty : form.name, words.firmwares[form.firmware], `${words.cdBus}: ${words.cdBuses[form.cdBus]}`])}
      ${row(context, 'cpu', [words.making.cpuFacts(form.cpus, `${form.memory} GiB`)])}
      ${row(context, 'disks', disksOf(context))} ${row(context, 'network', [networkOf(form, context)])}
      ${row(context, 'firstBoot', bootOf(form, context))}
    </dl>
    ${needsFacts(needsOf(form, resources), words)}
    ${checkField({ label: words.startAfter, isOn: form.start, change: (start) => change({ start }) })}`;
}

function row(
  { words, problems, goTo }: StepContext,
  step: CreateStep,
  lines: readonly string[],
): TemplateResult {
  const isBad = problems.some((problem) => problem.step === step);
  const title = words.making.steps[step];
  return html`<div class=${isBad ? 'bad' : ''}>
    <dt>${title}</dt>
    <dd translate="no">
      ${lines.map((line) => html`<bdi>${line}</bdi>`)}
      ${isBad ? html`<span class="note bad" translate="yes">${words.making.incomplete}</span>` : ''}
    </dd>
    <dd>
      <button
        type="button"
        class="button quiet small"
        aria-label=${words.making.changeStep(title)}
        @click=${() => goTo(step)}
      >
        ${words.settings.change}
      </button>
    </dd>
  </div>`;
}

function disksOf({ words, form, resources }: StepContext): string[] {
  const { making: text } = words;
  const lineOf = (disk: DiskForm): string => {
    const image = resources.images.find(({ id }) => id === disk.image);
    const bytes = parseDiskSize(disk.size) ?? image?.virtualSizeBytes;
    const kind = disk.kind === 'blank' ? text.kinds.blank : `${text.kinds.copy} ${image?.name ?? ''}`;
    return [kind, bytes === undefined ? '' : size(bytes)].filter((part) => part !== '').join(' · ');
  };
  const disc = resources.images.find(({ id }) => id === form.cdrom);
  const lines = [
    ...form.disks.map(lineOf),
    ...(disc === undefined ? [] : [`${words.disc.drive}: ${disc.name}`]),
  ];
  return lines.length === 0 ? [text.noDisks] : lines;
}

function networkOf({ network, networkName }: CreateForm, { words }: StepContext): string {
  const isNamed = network === 'bridge' || network === 'network';
  return isNamed ? `${words.networks[network]} · ${networkName}` : words.networks[network];
}

function bootOf(form: CreateForm, { words }: StepContext): string[] {
  const { boot } = words;
  const lines = [
    form.user === '' ? '' : `${boot.user}: ${form.user}`,
    form.hostname === '' ? '' : `${boot.hostname}: ${form.hostname}`,
    form.sshKeys.trim() === '' ? '' : boot.sshKeys,
    form.passwordHash === '' ? '' : boot.passwordHash,
    form.userData.trim() === '' ? '' : boot.userData,
  ].filter((line) => line !== '');
  return lines.length === 0 ? [boot.none] : lines;
}
