import { doctorFindings } from '@wcc/api';
import { expect, it } from 'vitest';
import { findingTextOf } from './findings.ts';
import { jaHostFindings } from './ja-host-findings.ts';
import { jaStorageFindings } from './ja-storage-findings.ts';

const japanese = Object.entries({ ...jaHostFindings, ...jaStorageFindings });
const english: Readonly<Record<string, { found: string; advice: string | null }>> = doctorFindings;

const parametersOf = (text: string | null): string[] =>
  [...new Set((text ?? '').match(/\{\w+\}/g))].toSorted();

it('every result of a check has its Japanese texts, with the same parameters', () => {
  expect(japanese.map(([code]) => code).toSorted()).toEqual(Object.keys(english).toSorted());
  for (const [code, [found, advice]] of japanese) {
    expect(advice === null, code).toBe(english[code]?.advice === null);
    expect([code, parametersOf(found)]).toEqual([code, parametersOf(english[code]?.found ?? null)]);
    expect([code, parametersOf(advice)]).toEqual([code, parametersOf(english[code]?.advice ?? null)]);
    expect(found + (advice ?? ''), code).toMatch(/[\u3040-\u30ff\u4e00-\u9fff]|^QEMU/);
  }
});

it('a result is in English until its Japanese texts are loaded', () => {
  const check = {
    id: 'uefi',
    title: 'UEFI firmware',
    state: 'ok',
    code: 'uefi_ready',
    parameters: { path: '/a' },
    found: '/a',
    advice: null,
  } as const;
  expect(findingTextOf(check, 'ja').found).toBe('/a');
});
