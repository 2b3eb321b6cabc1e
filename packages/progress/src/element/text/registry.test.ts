import { describe, expect, it } from 'vitest';
import { sampleSnapshot } from '../../testing/sample-snapshot.ts';
import { describeRow } from '../describe.ts';
import { de } from '../locales/de.ts';
import { ja } from '../locales/ja.ts';
import type { Catalogue } from './catalogue.ts';
import { en } from './en.ts';
import { amountText, durationText, timeLeftText } from './names.ts';
import { localeOf, onLocaleChange, registerLocale } from './registry.ts';

const steps = (done: number, total: number | null, unit: 'steps' | 'bytes' = 'steps') =>
  sampleSnapshot({
    bytes: null,
    phases: [{ name: 'work', unit, done, durable: 0, total, state: 'running', elapsedMs: 9000 }],
    phaseIndex: 0,
    rate: null,
    etaMs: 90_000,
  });

describe('the language of a row', () => {
  it('is English for a language that is not registered, with English numbers', () => {
    for (const locale of ['de-AT', 'fr', 'xx', '', 'not a tag!', '_']) {
      expect(localeOf(locale).format.tag).toBe('en');
      expect(describeRow(steps(5, 8), { locale })).toMatchObject({ percent: '62.5 %', status: 'Working' });
    }
  });

  it('is that of the nearest registered tag, and German after its registration', () => {
    registerLocale('de', de);
    for (const locale of ['de', 'de-AT', 'de_DE', 'DE-de', 'de-Latn-DE-1996', 'de-DE-u-nu-latn'])
      expect(describeRow(steps(5, 8), { locale })).toMatchObject({
        percent: '62,5 %',
        numbers: '5 von 8 Schritten · noch etwa 1,5 min',
        status: 'In Arbeit',
      });
    expect(localeOf('de-AT').format.tag).toBe('de-AT');
  });

  it('takes what a regional catalogue lacks from its language, and then from English', () => {
    registerLocale('de-AT', { verbs: { cancel: 'Stornieren' } });
    registerLocale('nl', { states: { paused: 'Gepauzeerd' } });
    const { verbs, states } = localeOf('de-AT').text;
    expect([verbs['cancel'], verbs['pause'], states.paused]).toEqual([
      'Stornieren',
      'Anhalten',
      'Angehalten',
    ]);
    expect(localeOf('de').text.verbs['cancel']).toBe('Abbrechen');
    expect(describeRow({ ...steps(5, 8), state: 'paused' }, { locale: 'nl-BE' }).status).toBe(
      'Paused at 62,5 %',
    );
    expect(describeRow({ ...steps(5, null), state: 'paused' }, { locale: 'nl' }).status).toBe('Gepauzeerd');
  });

  it('keeps earlier texts when a program adds its own to a language', () => {
    registerLocale('en', { actions: { bake_bread: 'Bake bread' } });
    registerLocale('en', { actions: { slice_bread: 'Slice bread' } });
    expect(localeOf('en').text.actions).toMatchObject({
      bake_bread: 'Bake bread',
      slice_bread: 'Slice bread',
    });
    expect(localeOf('de').text.actions['bake_bread']).toBe('Bake bread');
    expect(en.actions).toEqual({});
  });

  it('has the plural forms of the language', () => {
    const polish: Catalogue = {
      steps: (done, _total, { number, plural }) =>
        `${number(done)} ${plural(done, { one: 'krok', few: 'kroki', many: 'kroków', other: 'kroku' })}`,
    };
    registerLocale('pl', polish);
    const numbers = (done: number, locale: string) =>
      describeRow({ ...steps(done, null), etaMs: null }, { locale }).numbers;
    const shown = [1, 3, 5, 22, 25].map((done) => numbers(done, 'pl'));
    expect(shown).toEqual(['1 krok', '3 kroki', '5 kroków', '22 kroki', '25 kroków']);
    expect(numbers(1, 'en')).toBe('1 step');
    expect(describeRow(steps(12_345, 20_000)).numbers).toBe('12,345 of 20,000 steps · about 1.5 min left');
  });

  it('formats sizes, amounts and durations with the numbers of the language', () => {
    registerLocale('ja', ja);
    expect(localeOf('de').format.size(1_610_612_736)).toBe('1,5 GiB');
    expect(localeOf('de').format.size(Number.NaN)).toBe('–');
    expect(amountText(1_610_612_736, 2_576_980_378, 'de')).toBe('1,5 von 2,4 GiB');
    expect(durationText(250, 'de')).toBe('0,3 s');
    expect(timeLeftText(4 * 3_600_000, 'de')).toBe('noch etwa 4 Std.');
    expect(describeRow(steps(12, 40), { locale: 'ja' }).numbers).toBe('12 / 40 ステップ · 残り約 1.5 分');
  });

  it('is refused when the tag is not a language tag', () => {
    expect(() => registerLocale('not a tag!', {})).toThrow(RangeError);
  });

  it('is reported to listeners at each registration, until they stop', () => {
    let calls = 0;
    const stop = onLocaleChange(() => (calls += 1));
    registerLocale('sv', {});
    stop();
    registerLocale('sv', {});
    expect(calls).toBe(1);
  });
});

describe('the catalogues of the library', () => {
  it.each([
    ['de', de],
    ['ja', ja],
  ])(
    '%s has every sentence that depends on the language, and the states and verbs of English',
    (_tag, catalogue) => {
      const shared = ['dir', 'separator', 'percent', 'remark', 'error', 'actions', 'laterPhases'];
      const missing = Object.keys(en).filter((key) => !(key in catalogue) && !shared.includes(key));
      expect(missing).toEqual([]);
      for (const table of ['states', 'verbs', 'phases', 'warnings'] as const)
        expect(Object.keys(catalogue[table] ?? {}).toSorted()).toEqual(Object.keys(en[table]).toSorted());
      const reasons = Object.keys(en.reasons).filter((code) => code !== 'requested');
      expect(Object.keys(catalogue.reasons ?? {}).toSorted()).toEqual(reasons.toSorted());
    },
  );
});
