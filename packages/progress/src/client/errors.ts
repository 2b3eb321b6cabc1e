/** What to do about the codes that this side recognises. Errors of the server bring their own hint. */
const hints = {
  bad_url: 'Use an absolute address.',
  no_websocket: 'Pass the WebSocket of "ws".',
  no_stream: 'Set the option events.',
  sockets_blocked: 'Let the proxy forward upgrades.',
  too_many_subs: 'Watch a list.',
  other_version: 'Reload this page.',
};

/** What to do about a code; `null` if the code says it, or waiting is enough. */
export function hintOf(code: string | null): string | null {
  return hints[code as keyof typeof hints] ?? null;
}

/** Every error of the client: `code` identifies the error, `hint` says what to do. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  /** `bad_url`, `no_websocket`, `too_many_subs`, a code of the status, or a code of the server. */
  declare readonly code: string;
  declare readonly hint: string | null;

  constructor(code: string, detail: string, options: { hint?: string } = {}) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.hint = options.hint ?? hintOf(code);
  }
}
