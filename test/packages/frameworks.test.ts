import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { compile } from 'svelte/compiler';
import { build } from 'vite';
import type { Plugin, Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sampleSnapshot } from '@wcc/progress/testing';
import { launchBrowser } from '../kit/browser/browser.ts';
import { installLibraries } from '../kit/packed-install.ts';
import type { PackedInstall } from '../kit/packed-install.ts';

/** The packed element in React 19, Vue 3 and Svelte 5: their types, and pages that Vite bundles. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
let outside: PackedInstall;

beforeAll(async () => {
  outside = await installLibraries();
  const names = [
    'react',
    'react-dom',
    '@types/react',
    '@types/react-dom',
    'csstype',
    'vue',
    '@vue',
    'svelte',
  ];
  for (const name of names)
    symlinkSync(join(root, 'node_modules', name), join(outside.path, 'node_modules', name));
  writeFileSync(join(outside.path, 'package.json'), '{"type":"module"}');
});
afterAll(() => outside.remove());

/** Writes a program with its own configuration into a folder. @returns the folder */
function writeProgram(name: string, files: Record<string, string>, compilerOptions: object = {}): string {
  const folder = join(outside.path, name);
  mkdirSync(folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  const options = {
    module: 'esnext',
    moduleResolution: 'bundler',
    target: 'es2022',
    lib: ['es2023', 'dom', 'dom.iterable'],
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: [],
    ...compilerOptions,
  };
  const config = {
    compilerOptions: options,
    vueCompilerOptions: { strictTemplates: true },
    files: Object.keys(files).filter((file) => /\.(tsx?|vue)$/.test(file)),
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  return folder;
}

/** Runs a compiler. @returns what it reports; empty if the program is right */
async function compileTypes(script: readonly string[], cwd: string): Promise<string> {
  return run(process.execPath, [...script], { cwd }).then(
    () => '',
    (error: Error & { stdout?: string }) => error.stdout ?? error.message,
  );
}

const reactPage = (door: string): string => `import { createRoot } from 'react-dom/client';
import { useState } from 'react';
${door}
import type { Snapshot } from '@wcc/progress';
import '@wcc/progress/element/define';

export function Row({ first, next }: { first: Snapshot; next: Snapshot }) {
  const [snapshot, setSnapshot] = useState(first);
  const [heard, setHeard] = useState('');
  return (
    <main>
      <wcc-progress
        snapshot={snapshot}
        actions={{ cancel: true, pause: false }}
        connection="online"
        locale="en"
        compact={false}
        className="row"
        onaction={(event) => setHeard(event.detail.verb)}
        onstatechange={({ detail }) => setHeard(detail.to)}
      />
      <output>{heard}</output>
      <button onClick={() => setSnapshot(next)}>next</button>
    </main>
  );
}
const { first, next } = (globalThis as unknown as { given: { first: Snapshot; next: Snapshot } }).given;
createRoot(document.getElementById('app')!).render(<Row first={first} next={next} />);
`;

const vueTemplate = `<wcc-progress
    :snapshot="snapshot"
    :actions="{ cancel: true, pause: false }"
    connection="online"
    locale="en"
    class="row"
    @action="(event) => (heard = event.detail.verb)"
    @statechange="(event) => (heard = event.detail.to)"
  />
  <output>{{ heard }}</output>
  <button @click="snapshot = next">next</button>`;

const sveltePage = `<script>
  import '@wcc/progress/element/define';
  const { first, next } = globalThis.given;
  let snapshot = $state(first);
  let heard = $state('');
</script>
<wcc-progress {snapshot} actions={{ cancel: true, pause: false }} connection="online" locale="en" class="row"
  onaction={(event) => (heard = event.detail.verb)} onstatechange={(event) => (heard = event.detail.to)}></wcc-progress>
<output>{heard}</output>
<button onclick={() => (snapshot = next)}>next</button>
`;

describe('types of <wcc-progress>', () => {
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'];
  const door = (framework: string): string => `import type {} from '@wcc/progress/element/${framework}';`;

  it('compile in JSX of React 19 with the door, and only with it', async () => {
    const jsx = { jsx: 'react-jsx' };
    const wrong = `${door('react')}
export const event = <wcc-progress onaction={(given) => given.detail.to} />;
export const value = <wcc-progress connection="lost" />;
`;
    const [right, without, mistaken] = await Promise.all([
      compileTypes(tsc, writeProgram('react-types', { 'page.tsx': reactPage(door('react')) }, jsx)),
      compileTypes(tsc, writeProgram('react-without', { 'page.tsx': reactPage('') }, jsx)),
      compileTypes(tsc, writeProgram('react-wrong', { 'page.tsx': wrong }, jsx)),
    ]);
    expect(right).toBe('');
    expect(without).toContain("'wcc-progress' does not exist");
    expect(mistaken).toMatch(/page\.tsx\(2,.*'to' does not exist/);
    expect(mistaken).toMatch(/page\.tsx\(3,.*'"lost"' is not assignable/);
  });

  it('compile in a strict template of Vue 3 with the door, and a wrong value does not', async () => {
    const page = (template: string): string => `<script setup lang="ts">
import { ref } from 'vue';
import type { Snapshot } from '@wcc/progress';
${door('vue')}
const { next, first } = defineProps<{ first: Snapshot; next: Snapshot }>();
const snapshot = ref<Snapshot>(first);
const heard = ref('');
</script>
<template>
  ${template}
</template>
`;
    const wrong = vueTemplate.replace('event.detail.verb', 'event.detail.to').replace('"online"', '"lost"');
    // vue-tsc needs the compiler API of TypeScript 5.
    const compiler = join(root, 'packages/progress/node_modules/typescript/lib/tsc.js');
    const vueTsc = join(root, 'node_modules/vue-tsc');
    const start = ['-e', `require(${JSON.stringify(vueTsc)}).run(${JSON.stringify(compiler)})`];
    const pages = { 'right.vue': page(vueTemplate), 'wrong.vue': page(wrong) };
    const options = { jsx: 'preserve', allowImportingTsExtensions: true };
    const report = await compileTypes(start, writeProgram('vue-types', pages, options));
    expect(report).not.toContain('right.vue');
    expect(report).toMatch(/wrong\.vue\(.*'to' does not exist/);
    expect(report).toMatch(/wrong\.vue\(.*'"lost"' is not assignable/);
  });

  it('compile as attributes of Svelte 5 with the door, and a wrong value does not', async () => {
    const program = (values: string): string => `import type { SvelteHTMLElements } from 'svelte/elements';
${door('svelte')}
export const row: SvelteHTMLElements['wcc-progress'] = ${values};
export const shown: SvelteHTMLElements['wcc-progress']['snapshot'] = null;
`;
    const right = `{ onaction: (event) => event.detail.verb, connection: 'gone', class: 'row', snapshot: null }`;
    const wrong = `{ onaction: (event) => event.detail.to, connection: 'lost' }`;
    const [fine, mistaken] = await Promise.all([
      compileTypes(tsc, writeProgram('svelte-types', { 'page.ts': program(right) })),
      compileTypes(tsc, writeProgram('svelte-wrong', { 'page.ts': program(wrong) })),
    ]);
    expect(fine).toBe('');
    expect(mistaken).toMatch(/'to' does not exist/);
    expect(mistaken).toMatch(/'"lost"' is not assignable/);
  });
});

/** Compiles `.svelte` files with Svelte's own compiler. */
const sveltePlugin: Plugin = {
  name: 'svelte',
  transform: {
    filter: { id: /\.svelte$/ },
    handler: (code, filename) => compile(code, { filename, generate: 'client' }).js.code,
  },
};

const pages: Readonly<Record<string, Record<string, string>>> = {
  react: { 'main.tsx': reactPage('') },
  vue: {
    'main.js': `import { createApp } from 'vue/dist/vue.esm-bundler.js';
import '@wcc/progress/element/define';
const { first, next } = globalThis.given;
const app = createApp({ data: () => ({ snapshot: first, next, heard: '' }), template: ${JSON.stringify(vueTemplate)} });
app.config.compilerOptions.isCustomElement = (tag) => tag === 'wcc-progress';
app.mount('#app');
`,
  },
  svelte: {
    'main.js': `import { mount } from 'svelte';
import Page from './page.svelte';
mount(Page, { target: document.getElementById('app') });
`,
    'page.svelte': sveltePage,
  },
};

describe('a page with <wcc-progress> bundled by Vite', () => {
  let browser: Browser;
  let server: Server;
  const bundles = new Map<string, string>();

  beforeAll(async () => {
    browser = await launchBrowser();
    server = createServer(({ url = '/' }, response) => {
      const script = bundles.get(url.slice(1, -3));
      if (url.endsWith('.js')) return response.setHeader('content-type', 'text/javascript').end(script);
      const given = JSON.stringify({
        first: sampleSnapshot(),
        next: sampleSnapshot({ seq: 2, state: 'paused' }),
      });
      return response
        .setHeader('content-type', 'text/html')
        .end(
          `<!doctype html><html lang="en"><div id="app"></div><script>given = ${given}</script><script type="module" src="${url}.js"></script></html>`,
        );
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  async function bundle(framework: string): Promise<string> {
    const folder = writeProgram(`${framework}-page`, pages[framework]!);
    const input = join(folder, Object.keys(pages[framework]!)[0]!);
    const options = { configFile: false, logLevel: 'error', root: dirname(folder) } as const;
    // The test runner's own NODE_ENV would select the development builds.
    vi.stubEnv('NODE_ENV', 'production');
    const output = (await build({
      ...options,
      plugins: [sveltePlugin],
      build: { write: false, rolldownOptions: { input } },
    })) as Rollup.RollupOutput;
    vi.unstubAllEnvs();
    const [main] = output.output;
    return main.code;
  }

  it.each(['react', 'vue', 'svelte'])(
    'shows a snapshot, hears a button and follows a change of state: %s',
    async (framework) => {
      bundles.set(framework, await bundle(framework));
      const page: Page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${framework}`);
      const row = page.locator('wcc-progress.row');
      await row.getByText('62.5 %').waitFor();
      await row.getByRole('button', { name: 'Cancel' }).click();
      await page.locator('output', { hasText: /^cancel$/ }).waitFor();
      await page.getByRole('button', { name: 'next' }).click();
      await page.locator('output', { hasText: /^paused$/ }).waitFor();
      await row.getByText('Paused at 62.5 %').waitFor();
      expect(complaints).toEqual([]);
      await page.close();
    },
  );
});
