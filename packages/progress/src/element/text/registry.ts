import type { Catalogue, RowText } from './catalogue.ts';
import { en } from './en.ts';
import { createFormat } from './format.ts';
import type { LocaleFormat } from './format.ts';

/** The texts of one language, with its numbers. */
export interface Locale {
  text: RowText;
  format: LocaleFormat;
}

const catalogues = new Map<string, Catalogue>([['en', en]]);
const locales = new Map<string, Locale>();
const listeners = new Set<() => void>();

/**
 * Adds a language, or adds to one: keys that it already has are replaced. Rows on the page show the texts at once.
 *
 * @param tag BCP 47, e.g. `de`, or `pt-BR` for what differs from `pt`
 * @throws {RangeError} if `tag` is not a language tag
 * @example registerLocale('de', { verbs: { cancel: 'Abbrechen' } });
 */
export function registerLocale(tag: string, catalogue: Catalogue): void {
  const name = new Intl.Locale(tag).toString();
  const before = catalogues.get(name);
  catalogues.set(name, before === undefined ? catalogue : merge(before, catalogue));
  locales.clear();
  for (const listener of listeners) listener();
}

/** Calls the listener after each `registerLocale`. @returns a function that stops it */
export function onLocaleChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The best texts for a tag: `de-AT`, else `de`, else English. Never throws; an invalid tag is English. */
export function localeOf(tag: string): Locale {
  const known = locales.get(tag);
  if (known !== undefined) return known;
  const locale = find(tag);
  locales.set(tag, locale);
  return locale;
}

function find(tag: string): Locale {
  let name = canonical(tag);
  const found: Catalogue[] = [];
  for (let part = name; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('-')))) {
    const catalogue = catalogues.get(part);
    if (catalogue !== undefined) found.unshift(catalogue);
  }
  // Numbers follow the texts: English words with German decimals would mislead.
  if (found.length === 0) name = 'en';
  const english = catalogues.get('en') ?? en;
  return { text: [english, ...found].reduce(merge) as RowText, format: createFormat(name) };
}

function canonical(tag: string): string {
  try {
    return new Intl.Locale(tag.replaceAll('_', '-')).baseName;
  } catch {
    return 'en';
  }
}

/** Merges the tables of two catalogues key by key; other texts are replaced. */
function merge(before: Catalogue, after: Catalogue): Catalogue {
  const merged: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(after)) {
    const old = merged[key];
    merged[key] = typeof value === 'object' && typeof old === 'object' ? { ...old, ...value } : value;
  }
  return merged;
}
