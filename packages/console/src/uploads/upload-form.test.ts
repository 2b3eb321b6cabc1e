import type { Image, Upload } from '@wcc/api';
import { describe, expect, it } from 'vitest';
import { ChunkSizer, waitMs } from './engine/chunk-sizer.ts';
import { detectKind } from './engine/kind.ts';
import type { FileKind } from './engine/kind.ts';
import {
  chooseFile,
  isMisnamed,
  checkFile,
  hasImageLike,
  matchUnfinished,
  neededBytes,
  unmatchedUploads,
} from './upload-form.ts';
import type { ChosenFile } from './upload-form.ts';

const fileOf = (name: string, parts: BlobPart[] = ['x'], lastModified = 5): File =>
  new File(parts, name, { lastModified });

const kindOf = (format: FileKind['format']): FileKind => ({ format, refusal: null, remarks: [] });
const refusedText = { message: 'This is a gzip file.', hint: 'Unpack it first.' };
const archiveKind: FileKind = { format: null, refusal: { en: refusedText, ja: refusedText }, remarks: [] };

const chosen = (name: string, change: Partial<ChosenFile> = {}): ChosenFile => ({
  ...chooseFile(1, fileOf(name)),
  kind: kindOf('raw'),
  ...change,
});

const begunOf = (name: string): Upload =>
  ({ id: name, name, sizeBytes: 1, lastModified: 5 }) as unknown as Upload;

const never = (): boolean => false;

describe('a chosen file', () => {
  it.each([
    ['', 'empty'],
    ['.hidden', 'leading_dot'],
    ['a/b', 'slash'],
    ['debian.iso', null],
  ])('under the image name %j has the problem %s', (name, verdict) => {
    const one = chosen('debian.iso', { name });
    expect(checkFile(one, [one], never)).toBe(verdict);
  });

  it('needs an image name that is free in the pool and in the list', () => {
    const [one, two] = [chosen('a.raw'), chosen('a.raw', { key: 2 })];
    expect(checkFile(one, [one], (name) => name === 'a.raw')).toBe('taken');
    expect(checkFile(one, [one, two], never)).toBe('twice');
  });

  it('cannot have the name of an image, or one that looks like it, unless its file is missing', () => {
    const images = [
      { name: 'debian.raw', state: 'ready' },
      { name: 'gone.raw', state: 'missing' },
    ] as Image[];
    const names = ['debian.raw', 'd\u0435bian.raw', 'other.raw', 'gone.raw'];
    expect(names.map((name) => hasImageLike(images, name))).toEqual([true, true, false, false]);
    expect(hasImageLike([], 'debian.raw')).toBe(false);
  });

  it('is rejected before the upload if it is empty, an archive, or has a malformed digest', () => {
    const empty = chooseFile(1, fileOf('a.raw', []));
    expect(checkFile(empty, [empty], never)).toBe('empty');
    const archive = chosen('a.raw.gz', { kind: archiveKind });
    expect(checkFile(archive, [archive], never)).toBe('refused_kind');
    const bad = chosen('a.raw', { sha256: 'abc' });
    expect(checkFile(bad, [bad], never)).toBe('bad_digest');
    const good = chosen('a.raw', { sha256: ` ${'A1'.repeat(32)} ` });
    expect(checkFile(good, [good], never)).toBeNull();
  });

  it('resumes an unfinished upload of the same size and name or time, without more space', () => {
    const unfinished = begunOf('other.iso');
    const [one] = matchUnfinished([chosen('debian.iso')], [unfinished]);
    expect(one?.isResuming).toBe(true);
    expect(neededBytes([one!, chosen('b.raw')])).toBe(1);
    expect(checkFile({ ...one!, name: '' }, [one!], never)).toBeNull();
    const ofOther = [fileOf('debian.iso', ['xy']), fileOf('debian.iso', ['x'], 6)];
    const others = ofOther.map((file, key) => chooseFile(key, file));
    expect(matchUnfinished(others, [unfinished]).map((each) => each.unfinished)).toEqual([null, null]);
  });

  it('prefers the unfinished upload of its name; no two files resume the same upload', () => {
    const offers = ['a.raw', 'b.raw', 'c.raw'].map((name) => begunOf(name));
    const files = ['b.raw', 'new.raw', 'a.raw'].map((name, key) => chosen(name, { key }));
    const matched = matchUnfinished(files, offers);
    expect(matched.map(({ unfinished }) => unfinished?.name)).toEqual(['b.raw', 'c.raw', 'a.raw']);
    expect(unmatchedUploads(matched, offers)).toEqual([]);
    const asNew = matched.map((each) => ({ ...each, isResuming: each.name !== 'new.raw' }));
    expect(unmatchedUploads(asNew, offers).map(({ name }) => name)).toEqual(['c.raw']);
    // A choice stays when another file is added.
    expect(matchUnfinished([...asNew, chosen('c.raw', { key: 9 })], offers)[1]).toBe(asNew[1]);
  });

  it('is detected by its content', async () => {
    const iso = new Uint8Array(0x8006);
    iso.set([0x43, 0x44, 0x30, 0x30, 0x31], 0x8001);
    expect(await detectKind(fileOf('x', [iso]))).toEqual(kindOf('iso'));
    const gzip = await detectKind(fileOf('x', [new Uint8Array([0x1f, 0x8b, 8])]));
    expect(gzip.refusal?.en).toMatchObject({ hint: 'Unpack it first: gunzip FILE' });
    expect(gzip.refusal?.ja).toMatchObject({ hint: '先に展開してください: gunzip FILE' });
    const cut = await detectKind(fileOf('x', [new Uint8Array([0x51, 0x46, 0x49, 0xfb, 0])]));
    expect(cut.refusal?.en).toMatchObject({ message: 'The qcow2 header is truncated.' });
    expect(await detectKind(fileOf('x', ['some bytes']))).toEqual({
      ...kindOf('raw'),
      remarks: ['content_is_text'],
    });
    expect(isMisnamed(chosen('debian.qcow2', { kind: kindOf('iso') }))).toBe(true);
    expect(isMisnamed(chosen('debian.img', { kind: kindOf('raw') }))).toBe(false);
  });
});

describe('ChunkSizer', () => {
  it('grows below two seconds per chunk and shrinks above five, between 8 and 64 MiB', () => {
    const chunkSizer = new ChunkSizer();
    const sizes = [100, 100, 100, 100, 3000, 6000, 9000, 9000, 9000].map((durationMs) => {
      chunkSizer.recordDuration(durationMs);
      return chunkSizer.bytes / 1_048_576;
    });
    expect(sizes).toEqual([16, 32, 64, 64, 64, 32, 16, 8, 8]);
  });

  it('waits longer after each failure, up to a maximum', () => {
    expect(waitMs(0)).toBeLessThanOrEqual(500);
    expect(waitMs(20)).toBeLessThanOrEqual(15_000);
    expect(waitMs(20)).toBeGreaterThanOrEqual(7500);
  });
});
