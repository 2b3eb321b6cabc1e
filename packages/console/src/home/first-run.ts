import type { Host, Pool } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { poolPlace } from '../images/pool-place.ts';
import { imagesTextOf } from '../images/text/catalogue.ts';
import type { VmsText } from '../machines/text/text.ts';
import { size } from '../text/format.ts';
import { icon } from '../ui/icons.ts';

export interface FirstRunContext {
  words: VmsText;
  /** `null` until loaded. */
  host: Host | null;
  pool: Pool | undefined;
  /** Whether there is an image to create a machine from. */
  hasImage: boolean;
  canCreate: boolean;
  busy: boolean;
  onSample: () => void;
  onUpload: () => void;
  onQuickCreate: () => void;
}

interface Check {
  name: string;
  /** `null` until known. */
  isGood: boolean | null;
  words: string;
}

/** The check fails below this free space, because an operating system needs more. */
const minFreeBytes = 4_294_967_296;

/** Checks the installation and offers the steps to a first machine. */
export function firstRun(app: App, context: FirstRunContext): TemplateResult {
  const { words, canCreate } = context;
  const { first: text } = words;
  return html`<section class="card first-run" aria-label=${text.title}>
    <h2>${text.title}</h2>
    <ul class="checks">
      ${checksOf(context).map(
        ({ name, isGood, words: said }) =>
          html`<li class=${isGood === null ? 'waits' : isGood ? 'good' : 'bad'}>
            ${icon(isGood === null ? 'clock' : isGood ? 'check' : 'alert')}<strong>${name}</strong
            ><span>${said}</span>
          </li>`,
      )}
    </ul>
    ${canCreate ? ways(context) : html`<p class="muted">${imagesTextOf(app.preferences).list.viewerHint}</p>`}
  </section>`;
}

function checksOf({ words, host, pool }: FirstRunContext): Check[] {
  const { first: text } = words;
  const isReady = pool?.state === 'ready';
  return [
    {
      name: text.pool,
      isGood: pool === undefined ? null : isReady,
      words:
        pool === undefined ? '' : isReady ? poolPlace(pool) : (pool.stateReason?.message ?? poolPlace(pool)),
    },
    hypervisorCheck(words, host),
    {
      name: text.space,
      isGood: pool === undefined || !isReady ? null : pool.freeBytes >= minFreeBytes,
      words: pool === undefined || !isReady ? '' : text.free(size(pool.freeBytes)),
    },
  ];
}

function hypervisorCheck(words: VmsText, host: Host | null): Check {
  const { first: text } = words;
  if (host === null) return { name: text.hypervisor, isGood: null, words: '' };
  const { missing } = host.hypervisor;
  if (missing !== null)
    return { name: text.hypervisor, isGood: false, words: text.install(missing.packages.join(' ')) };
  return { name: text.hypervisor, isGood: true, words: hypervisorWords(words, host) };
}

/** For example `libvirt 10.0 · with KVM`. */
export function hypervisorWords({ host: text }: VmsText, { hypervisor }: Host): string {
  const { driver, version, acceleration } = hypervisor;
  const name = driver === null ? text.none : text.drivers[driver];
  const parts = [
    version === null ? name : `${name} ${version}`,
    acceleration === null ? '' : text.accelerations[acceleration],
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

function ways(context: FirstRunContext): TemplateResult {
  const { words, busy, pool, host, hasImage, onSample, onUpload, onQuickCreate } = context;
  const { first: text } = words;
  const isOff = busy || pool?.state !== 'ready';
  return html`<ol class="first-ways">
    <li>
      <span><strong>${text.sample}</strong><span class="muted">${text.sampleHint}</span></span>
      ${
        hasImage
          ? html`<span class="done">${icon('check')}${text.sampleDone}</span>`
          : html`<button
              class="button primary"
              aria-disabled=${String(isOff)}
              @click=${() => (isOff ? undefined : onSample())}
            >
              ${icon('plus')}${text.sampleVerb}
            </button>`
      }
    </li>
    <li>
      <span><strong>${text.upload}</strong><span class="muted">${text.uploadHint}</span></span>
      <button class="button" ?disabled=${pool?.state !== 'ready'} @click=${onUpload}>
        ${icon('disc')}${text.uploadVerb}
      </button>
    </li>
    ${
      host?.hypervisor.missing === null
        ? html`<li>
            <span><strong>${text.quick}</strong><span class="muted">${text.quickHint}</span></span>
            <button
              class=${hasImage ? 'button primary' : 'button'}
              ?disabled=${!hasImage}
              @click=${onQuickCreate}
            >
              ${icon('bolt')}${words.quick}
            </button>
          </li>`
        : nothing
    }
  </ol>`;
}
