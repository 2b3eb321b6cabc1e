import type { RowLook } from './row-view.ts';

const svgNamespace = 'http://www.w3.org/2000/svg';

/** Strokes on a 16 × 16 grid. The icon repeats the status text, so it is hidden from screen readers. */
const paths: Readonly<Record<RowLook, string>> = {
  queued: 'M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0',
  running: 'M8 2.5v7.5m-3-3 3 3 3-3M3 13.5h10',
  stalled: 'M8 5v3.5M8 11v.01M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0',
  paused: 'M5.75 3.5v9M10.25 3.5v9',
  cancelling: 'M4.5 4.5l7 7m0-7-7 7',
  cancelled: 'M3.8 3.8l8.4 8.4M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0',
  succeeded: 'M3 8.5l3.4 3.4L13 5',
  warning: 'M8 6v3m0 2.2v.01M8 2.2 14.4 13.4H1.6z',
  failed: 'M8 6v3m0 2.2v.01M8 2.2 14.4 13.4H1.6z',
  interrupted: 'M13 8a5 5 0 1 1-1.6-3.7M13.2 2.2v2.6h-2.6',
  gone: 'M6 6.2a2 2 0 1 1 2.8 1.9c-.5.2-.8.6-.8 1.1v.2M8 11.6v.01M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0',
};

/** Creates the SVG; `setIcon` changes its path. */
export function createIcon(): SVGSVGElement {
  const svg = document.createElementNS(svgNamespace, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(svgNamespace, 'path'));
  return svg;
}

export function setIcon(svg: SVGSVGElement, look: RowLook): void {
  svg.firstElementChild?.setAttribute('d', paths[look]);
}
