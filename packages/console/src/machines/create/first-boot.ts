import { hostNameOf } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { areaField, textField } from '../../ui/fields.ts';
import type { StepContext } from './step.ts';

/** The step for cloud-init data. */
export function createFirstBoot(context: StepContext): TemplateResult {
  const { words, form, problems, change } = context;
  const { boot: text } = words;
  const bad = new Set<string>(problems.filter(({ step }) => step === 'firstBoot').map(({ field }) => field));
  const field = (name: 'user' | 'hostname' | 'passwordHash'): TemplateResult =>
    textField({
      id: `create-${name}`,
      label: text[name],
      value: form[name],
      change: (value) => change({ [name]: value }),
      note: bad.has(name) ? text.problems[name] : text.hints[name],
      isBad: bad.has(name),
      ...(name === 'hostname' ? { placeholder: hostNameOf(form.name) } : {}),
    });
  return html`<p class="muted">${text.lead}</p>
    ${fromProfile(context)}
    <div class="pair">${field('user')} ${field('hostname')}</div>
    ${areaField({
      id: 'create-sshKeys',
      label: text.sshKeys,
      value: form.sshKeys,
      rows: 3,
      change: (sshKeys) => change({ sshKeys }),
      note: bad.has('sshKeys') ? text.problems.sshKeys : text.hints.sshKeys,
      isBad: bad.has('sshKeys'),
      placeholder: 'ssh-ed25519 AAAA…',
    })}
    <details class="options" ?open=${form.passwordHash !== '' || form.userData !== ''}>
      <summary>${text.more}</summary>
      <div class="body">
        ${field('passwordHash')}
        ${areaField({
          id: 'create-userData',
          label: text.userData,
          value: form.userData,
          rows: 5,
          change: (userData) => change({ userData }),
          note: bad.has('userData') ? text.problems.userData : text.hints.userData,
          isBad: bad.has('userData'),
          placeholder: '#cloud-config',
        })}
      </div>
    </details>`;
}

/** Fills in the user's first-boot profile. */
function fromProfile({ words, profile, change }: StepContext): TemplateResult | typeof nothing {
  if (profile === null || (profile.sshKeys.length === 0 && profile.user === null)) return nothing;
  const take = (): void => change({ user: profile.user ?? '', sshKeys: profile.sshKeys.join('\n') });
  return html`<p>
    <button type="button" class="button small" @click=${take}>${words.boot.takeProfile}</button>
  </p>`;
}
