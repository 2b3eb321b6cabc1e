import type { Locator, Page } from 'playwright-core';
import type { Snapshot } from '@wcc/progress';

/** What `<wcc-progress>` shows. */
export interface RowState {
  /** The snapshot set on the element, which it paints a moment later. */
  snapshot: Snapshot;
  /** The painted state, or `stalled`, `warning` or `gone`. */
  look: string;
  /** Share of the bar from 0 to 1; `null` if the bar is indeterminate or hidden. */
  value: number | null;
  text: string;
}

/** The row of the operation that makes `target`, not the compact bar of the image table. */
export function rowOf(page: Page, target: string): Locator {
  return page.locator('wcc-progress:not([compact])').filter({ hasText: target }).first();
}

export async function readRow(row: Locator): Promise<RowState> {
  return row.evaluate((element) => {
    const { snapshot } = element as unknown as { snapshot: Snapshot };
    const bar = element.shadowRoot?.querySelector('progress');
    const shown = bar && !bar.hidden && bar.position >= 0;
    const text = [...(element.shadowRoot?.querySelectorAll('article [part]') ?? [])]
      .filter((each) => each.querySelector('[part]') === null && !(each as HTMLElement).hidden)
      .map((each) => each.textContent)
      .join(' ');
    const look = /state-(\w+)/.exec(element.shadowRoot?.querySelector('article')?.className ?? '')?.[1] ?? '';
    return { snapshot, look, value: shown ? bar.position : null, text };
  });
}

export interface BarSample {
  id: string;
  state: string;
  phase: string;
  value: number | null;
  percent: string;
}

export interface Observation {
  /** Every text that appeared on the page, without the options of a `<select>`. */
  texts: string[];
  bars: BarSample[];
}

/**
 * Records every change of the page, in every shadow root. Sampling by time could miss a state that a person sees.
 * Call before the first navigation.
 */
export async function observeAllChanges(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const texts = new Set<string>();
    const bars: unknown[] = [];
    const noteTexts = (root: Node): void => {
      // A node removed in the same task was never painted, and its parent is unknown.
      if (!root.isConnected || root.parentElement?.closest('option')) return;
      if (root instanceof Text) texts.add(root.data);
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (!node.parentElement?.closest('option')) texts.add(node.textContent ?? '');
      }
    };
    const noteBar = (host: Element): void => {
      const { snapshot } = host as unknown as { snapshot?: { id: string } };
      const row = host.shadowRoot?.querySelector('article');
      const bar = host.shadowRoot?.querySelector('progress');
      if (!snapshot || !row || !bar) return;
      bars.push({
        id: snapshot.id,
        state: /state-(\w+)/.exec(row.className)?.[1] ?? '',
        phase: row.querySelector('.status')?.textContent ?? '',
        value: bar.hidden || bar.classList.contains('kept') || bar.position < 0 ? null : bar.position,
        percent: row.querySelector('.percent')?.textContent ?? '',
      });
    };
    const watch = (root: Node): void => {
      new MutationObserver((records) => {
        for (const { target, addedNodes } of records) {
          noteTexts(target);
          for (const node of addedNodes) noteTexts(node);
        }
        const host = root instanceof ShadowRoot ? root.host : null;
        if (host?.localName === 'wcc-progress') noteBar(host);
      }).observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
    };
    const prototype: { attachShadow: (init: ShadowRootInit) => ShadowRoot } = Element.prototype;
    prototype.attachShadow = new Proxy(prototype.attachShadow, {
      apply: (attach, host: Element, [init]: [ShadowRootInit]) => {
        const root = attach.call(host, init);
        watch(root);
        return root;
      },
    });
    watch(document);
    (globalThis as unknown as { wccObserved: unknown }).wccObserved = () => ({ texts: [...texts], bars });
  });
}

export async function readObservation(page: Page): Promise<Observation> {
  return page.evaluate(() => (globalThis as unknown as { wccObserved: () => Observation }).wccObserved());
}

/** Texts that contain a raw value such as `NaN` or `undefined`. No page may show them. */
export function findUnformattedValues(texts: readonly string[]): string[] {
  return texts.filter((text) => /\bNaN\b|\bundefined\b|\bnull\b|Infinity|\[object /.test(text));
}
