// Measures downloads, conversions, uploads and imports beside what a person would use instead. See --help.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadNow, writeResults } from '../upload/report.mjs';
import { readOptions } from './options.mjs';
import { gatesOf, render } from './report.mjs';
import { makeCertificate, startNginx, startWcc } from './servers.mjs';
import { convertAndSync, convertIn, download, fetchAndSync, importInto, uploadTo } from './work.mjs';

const options = readOptions();
const load = loadNow();
const sizeBytes = options.mib * 1024 ** 2;
const endsAt = performance.now() + options.minutes * 60_000;
/** Shares of the time before the imports, by part. */
const shares = { download: 1, 'download, TLS': 1, convert: 2, upload: 1 };
/** Of all time, for the imports. */
const importShare = 0.5;

const home = mkdtempSync(join(options.dir ?? tmpdir(), 'wcc-bench-bytes-'));
const running = [];
const parts = {};
try {
  const source = join(home, 'source.raw');
  writeRandom(source, sizeBytes);
  const tls = makeCertificate(home);
  const started = async (server) => (running.push(await server), running.at(-1));
  const wcc = await started(startWcc(join(home, 'plain'), { file: source }));
  const secure = await started(startWcc(join(home, 'secure'), { file: source, tls }));
  const nginx = await started(startNginx(join(home, 'nginx'), { directory: wcc.pool, tls }));
  const scratch = join(home, 'scratch');
  mkdirSync(scratch);

  const subjects = subjectsOf({ wcc, secure, nginx, scratch, source });
  const { import: imports, ...others } = subjects;
  const beforeImports = (endsAt - performance.now()) * (1 - importShare);
  const allShares = Object.values(shares).reduce((sum, share) => sum + share, 0);
  for (const [part, of] of Object.entries(others)) {
    const until = performance.now() + (beforeImports * shares[part]) / allShares;
    parts[part] = await interleave(part, of, until);
  }
  for (let earlier = 0; earlier < options.earlier && performance.now() < endsAt; earlier += 1)
    await imports.wcc();
  await sleep(
    Math.max(0, Math.min(options.uptime - wcc.uptimeS(), (endsAt - performance.now()) / 1000)) * 1000,
  );
  const [uptimeS, before] = [wcc.uptimeS(), wcc.markCompacts()];
  parts.import = await interleave('import', imports, endsAt);
  const importedBytes = (parts.import.wcc.length + parts.import['wcc (again)'].length) * sizeBytes;
  const markCompacts = wcc.markCompacts() - before;
  report({ markCompacts, importedBytes, uptimeS });
} finally {
  for (const server of running) await server.stop();
  rmSync(home, { recursive: true });
}

function subjectsOf({ wcc, secure, nginx, scratch, source }) {
  const twice = (run) => ({ wcc: run, 'wcc (again)': run });
  return {
    download: {
      ...twice(() => download(wcc.child, wcc.download, sizeBytes)),
      'nginx sendfile': () => download(nginx.child, nginx.url, sizeBytes),
    },
    'download, TLS': {
      ...twice(() => download(secure.child, secure.download, sizeBytes)),
      'nginx ssl': () => download(nginx.child, nginx.secureUrl, sizeBytes),
    },
    convert: {
      ...twice(() => convertIn(wcc)),
      'qemu-img convert && sync FILE': () => convertAndSync(source, join(scratch, 'converted.qcow2')),
    },
    upload: twice(() => uploadTo(wcc, { file: source, sizeBytes })),
    import: {
      ...twice(() => importInto(wcc, nginx.url, sizeBytes)),
      'curl && sync FILE': () => fetchAndSync(nginx.url, join(scratch, 'fetched.raw')),
    },
  };
}

/** Runs the subjects in turns that rotate, until the time is over. The first round warms up and does not count. */
async function interleave(part, subjects, until) {
  const names = Object.keys(subjects);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= options.rounds; round += 1) {
    if (round > 1 && performance.now() > until) break;
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      execFileSync('sync');
      const sample = await subjects[name]();
      if (round > 0) samples[name].push(sample);
      const cpu = sample.cpuS === null ? '' : `, ${sample.cpuS.toFixed(2)} s of CPU`;
      console.error(`${part} ${round || 'warm-up'} ${name}: ${Math.round(sample.ms)} ms${cpu}`);
    }
  }
  return samples;
}

function report({ markCompacts, importedBytes, uptimeS }) {
  const gates = gatesOf(parts, { sizeBytes, markCompacts, importedBytes });
  const markdown = render({ parts, gates, options, load, uptimeS, sizeBytes });
  console.log(markdown);
  const results = fileURLToPath(new URL('../RESULTS.md', import.meta.url));
  if (options.write) writeResults(results, markdown, { name: 'bytes', heading: 'Bytes in and out' });
  if (gates.some(([, , , verdict]) => verdict === 'MISSED')) process.exitCode = 1;
}

function writeRandom(path, bytes) {
  const file = openSync(path, 'w');
  for (let left = bytes; left > 0; left -= 1024 ** 2) writeSync(file, randomBytes(Math.min(left, 1024 ** 2)));
  closeSync(file);
}
