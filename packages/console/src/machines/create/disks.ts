import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { size } from '../../text/format.ts';
import { selectField, textField } from '../../ui/fields.ts';
import { icon } from '../../ui/icons.ts';
import { segmentField } from '../../ui/segments.ts';
import { imageChoices } from '../image-choices.ts';
import { maxDisks } from './form.ts';
import type { CreateProblem, DiskForm } from './form.ts';
import type { StepContext } from './step.ts';

/** The step for the disks and the disc in the drive. */
export function diskSteps(context: StepContext): TemplateResult {
  const { words, form, resources, change } = context;
  const { making: text } = words;
  const add = (): void =>
    change({ disks: [...form.disks, { kind: 'blank', image: null, size: '20', format: 'qcow2' }] });
  const discs = resources.images.filter(({ state, format }) => state === 'ready' && format === 'iso');
  return html`${form.disks.length === 0 ? html`<p class="muted">${text.noDisks}</p>` : nothing}
    ${form.disks.map((disk, index) => diskCard(disk, index, context))}
    <p>
      <button type="button" class="button" ?disabled=${form.disks.length >= maxDisks} @click=${add}>
        ${icon('plus')}${text.addDisk}
      </button>
    </p>
    ${selectField({
      id: 'create-cdrom',
      label: words.disc.drive,
      value: form.cdrom === null ? '' : String(form.cdrom),
      choices: [{ value: '', label: words.disc.empty }, ...imageChoices(discs)],
      change: (value) => change({ cdrom: value === '' ? null : Number(value) }),
      note: text.discHint,
    })}`;
}

function diskCard(disk: DiskForm, index: number, context: StepContext): TemplateResult {
  const { words, form, problems, change } = context;
  const { making: text } = words;
  const problem = problems.find((each) => each.field === 'disk' && each.index === index);
  const put = (part: Partial<DiskForm>): void =>
    change({ disks: form.disks.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  const remove = (): void => change({ disks: form.disks.filter((_, at) => at !== index) });
  return html`<fieldset class="disk-card">
    <legend>${text.disk(String(index + 1))}</legend>
    <button
      type="button"
      class="button quiet small"
      aria-label=${text.removeDisk(String(index + 1))}
      @click=${remove}
    >
      ${icon('close')}
    </button>
    ${segmentField({
      name: `create-disk-${index}-kind`,
      label: text.diskKind,
      value: disk.kind,
      choices: [
        { value: 'blank', label: text.kinds.blank },
        { value: 'copy', label: text.kinds.copy },
      ],
      change: (kind) => put(kind === 'copy' ? { kind: 'copy', size: '' } : { kind: 'blank', size: '20' }),
    })}
    ${disk.kind === 'copy' ? copied(disk, { context, index, put, problem }) : blank(disk, { context, index, put, problem })}
  </fieldset>`;
}

interface DiskParts {
  context: StepContext;
  index: number;
  put: (part: Partial<DiskForm>) => void;
  problem: CreateProblem | undefined;
}

function blank(disk: DiskForm, { context, index, put, problem }: DiskParts): TemplateResult {
  const { words } = context;
  return html`<div class="pair">
    ${textField({
      id: `create-disk-${index}-size`,
      label: words.diskSize,
      value: disk.size,
      unit: 'GiB',
      mode: 'decimal',
      change: (typed) => put({ size: typed }),
      isBad: problem !== undefined,
      ...(problem === undefined ? {} : { note: words.badDiskSize('') }),
    })}
    ${segmentField({
      name: `create-disk-${index}-format`,
      label: words.disksText.format,
      value: disk.format,
      choices: [
        { value: 'qcow2', label: 'qcow2' },
        { value: 'raw', label: 'raw' },
      ],
      change: (format) => put({ format: format === 'raw' ? 'raw' : 'qcow2' }),
    })}
  </div>`;
}

function copied(disk: DiskForm, { context, index, put, problem }: DiskParts): TemplateResult {
  const { words, resources } = context;
  const images = resources.images.filter(
    ({ state, format }) => state === 'ready' && (format === 'raw' || format === 'qcow2'),
  );
  const image = images.find(({ id }) => id === disk.image);
  const own = image === undefined ? '' : size(image.virtualSizeBytes);
  const isBadSize = problem?.why === 'size' || problem?.why === 'too_small';
  return html`<div class="pair">
    ${selectField({
      id: `create-disk-${index}-image`,
      label: words.image,
      value: disk.image === null ? '' : String(disk.image),
      choices: [{ value: '', label: words.making.choose }, ...imageChoices(images)],
      change: (value) => put({ image: value === '' ? null : Number(value) }),
      isBad: problem?.why === 'no_image',
      ...(problem?.why === 'no_image' ? { note: words.making.noImage } : {}),
    })}
    ${textField({
      id: `create-disk-${index}-size`,
      label: words.diskSize,
      value: disk.size,
      unit: 'GiB',
      mode: 'decimal',
      change: (typed) => put({ size: typed }),
      isBad: isBadSize,
      note: isBadSize ? words.badDiskSize(own) : words.quickText.sizeHint(own),
    })}
  </div>`;
}
