import type { Locator, Page } from 'playwright-core';
import type { Snapshot } from '@wcc/progress';

/** What `<wcc-progress>` shows, read from the outside as a person or a program would. */
export interface RowState {
  /** What the element was given; it is painted a moment later. */
  snapshot: Snapshot;
  /** What is painted: a state, or `stalled`, `warning`, `unknown`. */
  look: string;
  /** 0 to 1; `null`: indeterminate or no bar. */
  value: number | null;
  text: string;
}

/** The row of the operation that makes `target`: not the slim bar of the image table. */
export function rowOf(page: Page, target: string): Locator {
  return page.locator('wcc-progress:not([compact])').filter({ hasText: target }).first();
}

export async function readRow(row: Locator): Promise<RowState> {
  return row.evaluate((element) => {
    const { snapshot } = element as unknown as { snapshot: Snapshot };
    const bar = element.shadowRoot?.querySelector('progress');
    const shown = bar && !bar.hidden && bar.position >= 0;
    const text = [...(element.shadowRoot?.querySelectorAll('article *') ?? [])]
      .filter((each) => each.childElementCount === 0 && !(each as HTMLElement).hidden)
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
  /** Every text that stood anywhere in the page; the choices of a closed `<select>` are no statement. */
  texts: string[];
  bars: BarSample[];
}

/**
 * From now on every change of the page, in every shadow root, is looked at: what a sampler by time would miss
 * between two looks, a person could still have seen. Call before the first navigation.
 */
export async function observeAllChanges(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const texts = new Set<string>();
    const bars: unknown[] = [];
    const noteTexts = (root: Node): void => {
      // What has left the page again in the same turn was never painted, and no longer says what it stood in.
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

/** Text that no page may ever show. */
export function findUnformattedValues(texts: readonly string[]): string[] {
  return texts.filter((text) => /\bNaN\b|\bundefined\b|\bnull\b|Infinity|\[object /.test(text));
}
