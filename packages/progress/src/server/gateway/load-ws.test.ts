import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { defaultLimits } from '@wcc/progress/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWebSocketServer } from './load-ws.ts';

let directory: string;
const library = join(dirname(fileURLToPath(import.meta.url)), '../../..');

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcc-ws-'));
  const target = join(directory, 'node_modules/@wcc/progress');
  mkdirSync(target, { recursive: true });
  cpSync(join(library, 'dist'), join(target, 'dist'), { recursive: true });
  cpSync(join(library, 'package.json'), join(target, 'package.json'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The error of createGateway in a process whose package `ws` has this source; `null`: not installed. */
function errorWith(source: string | null): { code: string; message: string; hint: string } {
  const ws = join(directory, 'node_modules/ws');
  rmSync(ws, { recursive: true, force: true });
  if (source !== null) {
    mkdirSync(ws);
    writeFileSync(join(ws, 'package.json'), '{"name":"ws","version":"0.0.0","main":"index.js"}');
    writeFileSync(join(ws, 'index.js'), source);
  }
  const program = `
    import { createGateway, createHub } from '@wcc/progress/server';
    try {
      const yes = () => true;
      createGateway({ hub: createHub(), hosts: yes, origins: yes, authenticate: yes, user: yes, authorize: yes });
      console.log('{"code":"none"}');
    } catch ({ code, message, hint }) { console.log(JSON.stringify({ code, message, hint })); }`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: directory,
    encoding: 'utf8',
  });
  return JSON.parse(printed) as ReturnType<typeof errorWith>;
}

describe('loading ws', () => {
  it.each([
    ['ws_missing', 'is not installed', null],
    ['ws_unusable', 'no native part', 'throw new Error("no native part")'],
    ['ws_unusable', "Cannot find module 'bufferutil-x'", 'require("bufferutil-x")'],
    ['ws_unusable', 'no WebSocketServer', 'module.exports = class WebSocket {}'],
    [
      'ws_unusable',
      'too few',
      'exports.WebSocketServer = class { constructor() { throw new Error("too few"); } }',
    ],
    ['none', '', 'exports.WebSocketServer = class {}'],
  ])('reports %s: %s', (code, text, source) => {
    const error = errorWith(source);
    expect(error.code).toBe(code);
    if (code !== 'none')
      expect(error).toMatchObject({ message: expect.stringContaining(text), hint: expect.any(String) });
  });

  it('takes the class that it is given', () => {
    class Own extends WebSocketServer {}
    expect(createWebSocketServer(defaultLimits, Own)).toBeInstanceOf(Own);
  });
});
