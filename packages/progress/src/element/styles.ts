/**
 * The styles of the row. A page changes them with the `--wcc-…` properties and `::part(…)`; its style sheets have no
 * other effect. There are no inline styles, so a strict CSP blocks nothing. The comments are here, because no bundler
 * removes them from a text:
 * - `.row` resets all inherited styles except colour scheme and visibility. No length is in rem, which depends on the
 *   page's root. The important font rule of the host overrides the page's, so em is the reader's font size.
 * - A text has the direction of its language (`dir`), and is aligned with the page.
 */
export const rowStyles = `
:host {
  --_accent: var(--wcc-accent, light-dark(#2f5fd0, #86a8ff));
  --_text: var(--wcc-text, light-dark(#16191f, #eceef2));
  --_muted: var(--wcc-muted, light-dark(#5a6270, #a3abba));
  --_track: var(--wcc-track, light-dark(#dfe3ea, #363c48));
  --_line: var(--wcc-border, light-dark(#d8dce4, #3a404d));
  --_hover: var(--wcc-hover, light-dark(#eef0f4, #2b303a));
  --_danger: var(--wcc-danger, light-dark(#b3261e, #ff8f85));
  --_success: var(--wcc-success, light-dark(#1a7340, #6fd495));
  --_warning: var(--wcc-warning, light-dark(#8a5300, #f0b957));
  --_tone: var(--_accent);
  color-scheme: inherit;
  display: block;
  content-visibility: auto;
  contain-intrinsic-block-size: auto 6em;
  font: medium sans-serif !important;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
p { margin: 0; overflow-wrap: anywhere; }
[dir] { text-align: -webkit-match-parent; text-align: match-parent; }
[hidden] { display: none !important; }
.row { all: initial; color-scheme: inherit; visibility: inherit; color: var(--_text);
  font: var(--wcc-font, 400 0.875em/1.4286 system-ui, sans-serif); font-variant-numeric: tabular-nums;
  display: grid; grid-template-columns: 2em minmax(0, 1fr); gap: 0.143em 0.857em; outline-offset: 4px; }
.icon { grid-row: span 2; inline-size: 2em; block-size: 2em; display: grid; place-items: center; border-radius: 50%;
  color: var(--_tone); background: color-mix(in srgb, var(--_tone) 12%, transparent); }
svg { inline-size: 1.143em; block-size: 1.143em; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 0.286em 0.857em; min-block-size: 2em; }
.title { flex: 1 1 16em; min-inline-size: 0; overflow-wrap: anywhere; }
.action { font-weight: 600; }
.action::after { content: ' '; white-space: pre; }
.link { display: inline-block; padding-block: 0.143em; color: inherit; text-decoration: none; }
.link[href]:hover { text-decoration: underline; text-underline-offset: 0.2em; }
.arrow { color: var(--_muted); }
.actions { display: flex; flex-wrap: wrap; gap: 0.429em; }
.body { display: grid; gap: 0.429em; }
.line { display: flex; justify-content: space-between; gap: 1.143em; }
.percent { font-weight: 600; white-space: nowrap; }
.numbers, .detail { color: var(--_muted); }
.detail, .hint { font-size: 0.929em; }
.code { color: var(--_muted); font: 0.857em/1.4 ui-monospace, monospace; }
.state-failed .status, .state-warning .status { color: var(--_tone); }
.state-stalled .status { color: var(--_warning); }
.state-succeeded, .state-succeeded .icon { --_tone: var(--_success); }
.state-failed { --_tone: var(--_danger); }
.state-warning, .state-stalled { --_tone: var(--_warning); }
.state-queued, .state-paused, .state-cancelling, .state-cancelled, .state-interrupted, .state-gone, .offline { --_tone: var(--_muted); }
button { appearance: none; font: inherit; font-size: 0.929em; color: inherit; background: transparent; border: 1px solid color-mix(in srgb, var(--_line) 55%, transparent);
  border-radius: var(--wcc-radius, 6px); padding: 0.154em 0.769em; min-block-size: max(24px, 2.154em); cursor: pointer; }
button:hover { background: var(--_hover); }
button:active { transform: translateY(1px); }
button[aria-disabled='true'] { color: var(--_muted); border-style: dashed; cursor: not-allowed; }
button:focus-visible, .link:focus-visible, .row:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
progress { appearance: none; display: block; inline-size: 100%; block-size: var(--wcc-bar-height, 6px); border: 0; border-radius: 99px; overflow: hidden;
  background: var(--_track); color: var(--_tone); }
progress.kept { visibility: hidden; }
progress::-webkit-progress-bar { background: var(--_track); }
progress::-webkit-progress-value { background: var(--_tone); border-radius: 99px; transition: inline-size 0.2s linear; }
progress::-moz-progress-bar { background: var(--_tone); }
progress:indeterminate::-webkit-progress-bar { background: repeating-linear-gradient(-45deg, var(--_tone) 0 8px, transparent 8px 16px) 0 0 / 22.63px 100%; }
progress:indeterminate::-moz-progress-bar { background: repeating-linear-gradient(-45deg, var(--_tone) 0 8px, transparent 8px 16px); }
.state-running:not(.offline) progress:indeterminate::-webkit-progress-bar { animation: move 1s linear infinite; }
.state-stalled progress::-webkit-progress-value { background: repeating-linear-gradient(-45deg, var(--_tone) 0 5px, transparent 5px 9px); }
.state-stalled progress::-moz-progress-bar { background: repeating-linear-gradient(-45deg, var(--_tone) 0 5px, transparent 5px 9px); }
.offline progress::-webkit-progress-value { transition: none; }
.still progress::-webkit-progress-bar { animation: none !important; }
@keyframes move { to { background-position: 22.63px 0; } }
:host([compact]) { contain-intrinsic-block-size: auto 2.5em; }
:host([compact]) .row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.429em 0.857em; }
:host([compact]) .body { flex: 1 1 13.714em; }
:host([compact]) :is(.icon, .detail, .numbers) { display: none; }
:host([compact]) .title { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:host([compact]) .head { order: 1; min-block-size: 0; position: relative; }
:host([compact]) progress { --wcc-bar-height: 4px; }
@media (pointer: coarse) { button { min-block-size: max(44px, 3.385em); padding-inline: 1.077em; } }
@media (prefers-reduced-motion: reduce) { *, progress::-webkit-progress-value, progress::-webkit-progress-bar { animation: none !important; transition: none !important; } }
@media (forced-colors: active) {
  progress { border: 1px solid CanvasText; background: Canvas; forced-color-adjust: none; }
  progress::-webkit-progress-bar { background: Canvas; }
  progress::-webkit-progress-value { background: Highlight; }
  progress::-moz-progress-bar { background: Highlight; }
  .icon { border: 1px solid currentColor; }
}
`;
