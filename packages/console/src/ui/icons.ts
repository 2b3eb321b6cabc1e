import { html, svg } from 'lit';
import type { SVGTemplateResult, TemplateResult } from 'lit';

export type IconName =
  | 'copy'
  | 'rescan'
  | 'plus'
  | 'chevron'
  | 'alert'
  | 'offline'
  | 'disk'
  | 'close'
  | 'exit'
  | 'refresh'
  | 'user'
  | 'minimise'
  | 'pause'
  | 'back'
  | 'clock'
  | 'upload'
  | 'download'
  | 'link'
  | 'check'
  | 'convert'
  | 'star'
  | 'bin'
  | 'play'
  | 'power'
  | 'reset'
  | 'unknown'
  | 'machine'
  | 'disc'
  | 'screen'
  | 'full'
  | 'camera'
  | 'lock'
  | 'bolt';

const shapes: Readonly<Record<IconName, SVGTemplateResult>> = {
  copy: svg`<path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3"/>`,
  rescan: svg`<path d="M13 8a5 5 0 1 1-1.6-3.7M13.2 2.2v2.6h-2.6"/>`,
  plus: svg`<path d="M8 3v10M3 8h10"/>`,
  chevron: svg`<path d="M4.5 6.5 8 10l3.5-3.5"/>`,
  alert: svg`<path d="M8 6v3m0 2.2v.01M8 2.2 14.4 13.4H1.6z"/>`,
  offline: svg`<path d="M2.5 6.5a8 8 0 0 1 4-2M13.5 6.5a8 8 0 0 0-2.8-1.7M5 9.3a4.5 4.5 0 0 1 3-1.2M8 12v.01M2.5 2.5l11 11"/>`,
  disk: svg`<path d="M2.5 10.5h11v3h-11zM2.5 10.5l2-8h7l2 8M11 12v.01"/>`,
  close: svg`<path d="M4 4l8 8m0-8-8 8"/>`,
  exit: svg`<path d="M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6"/>`,
  user: svg`<path d="M8 8.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.5 14a5.5 5.5 0 0 1 11 0"/>`,
  minimise: svg`<path d="M3.5 12.5h9"/>`,
  pause: svg`<path d="M5.75 3.5v9M10.25 3.5v9"/>`,
  back: svg`<path d="M7.5 3.5 3 8l4.5 4.5M3.5 8H13"/>`,
  clock: svg`<path d="M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0"/>`,
  upload: svg`<path d="M8 10.5v-8m-3 3 3-3 3 3M2.5 10v3.5h11V10"/>`,
  download: svg`<path d="M8 2.5v8m-3-3 3 3 3-3M2.5 10v3.5h11V10"/>`,
  link: svg`<path d="M6.5 9.5a2.5 2.5 0 0 0 3.6.2l2.4-2.4a2.5 2.5 0 0 0-3.6-3.6l-.9.9M9.5 6.5a2.5 2.5 0 0 0-3.6-.2L3.5 8.700a2.5 2.5 0 0 0 3.6 3.600l.9-.9"/>`,
  check: svg`<path d="M3 8.500l3.4 3.400L13 5"/>`,
  convert: svg`<path d="M2.5 5.500h10m-2.5-3 2.5 3-2.5 2.500M13.5 10.500h-10m2.5-2.5-2.5 2.5 2.5 3"/>`,
  star: svg`<path d="m8 2.2 1.8 3.7 4 .6-2.9 2.8.7 4L8 11.400l-3.6 1.9.7-4L2.2 6.500l4-.6z"/>`,
  bin: svg`<path d="M2.5 4.500h11M6 4.500v-2h4v2M4 4.500l.7 9h6.600l.7-9M6.8 7v4M9.2 7v4"/>`,
  play: svg`<path d="M5 3.2v9.6L12.6 8z"/>`,
  power: svg`<path d="M8 2v5.5M4.6 4.6a5 5 0 1 0 6.8 0"/>`,
  reset: svg`<path d="M3 8a5 5 0 1 0 1.6-3.7M2.8 2.2v2.6h2.6"/>`,
  unknown: svg`<path d="M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.6v.01M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0"/>`,
  machine: svg`<path d="M2.5 3h11v7.5h-11zM6 13.5h4M8 10.5v3"/>`,
  disc: svg`<path d="M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M9.5 8a1.5 1.5 0 1 1-3 0 1.5 1.5 0 0 1 3 0"/>`,
  screen: svg`<path d="M2 3h12v8H2zM5.5 13.5h5"/>`,
  full: svg`<path d="M2.5 6v-3.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10"/>`,
  camera: svg`<path d="M2 5h3l1-1.5h4L11 5h3v8H2zM10.2 9a2.2 2.2 0 1 1-4.4 0 2.2 2.2 0 0 1 4.4 0"/>`,
  lock: svg`<path d="M3.5 7.5h9v6h-9zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2"/>`,
  bolt: svg`<path d="M9 1.8 3.8 9H8l-1 5.2L12.2 7H8z"/>`,
  refresh: svg`<path d="M13 8a5 5 0 1 1-1.6-3.7M13.2 2.2v2.6h-2.6"/>`,
};

/** Decorative: hidden from screen readers. */
export function icon(name: IconName, more = ''): TemplateResult {
  return html`<svg class="icon ${more}" viewBox="0 0 16 16" aria-hidden="true">${shapes[name]}</svg>`;
}

export function mark(): TemplateResult {
  return html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8"></rect>
    <path d="M9 10h14v5H9zM9 19h9"></path>
  </svg>`;
}
