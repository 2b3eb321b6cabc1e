import { routes } from '@wcc/api';
import { Emitter } from '../../ui/emitter.ts';
import { MachineLink } from './link.ts';
import type { LinkView, MachineLinkOptions, Viewer } from './link.ts';
import { openSerialSocket } from './serial-socket.ts';
import { serialText } from './serial-text.ts';

export interface SerialLogOptions extends Pick<MachineLinkOptions<Viewer>, 'ticket' | 'probe'> {
  id: number;
  /** @default openSerialSocket */
  open?: typeof openSerialSocket;
}

/** Maximum length of the kept text. */
const maxCharacters = 262_144;

/** The end of a machine's serial log, and new output in follow mode. */
export class SerialLog {
  readonly changed: Emitter = new Emitter();
  readonly #link: MachineLink<Viewer>;
  #raw = '';
  #text = '';
  #isLoaded = false;
  #isFollowing = false;

  constructor({ id, ticket, probe, open = openSerialSocket }: SerialLogOptions) {
    const path = `${routes.vmSerialSocket(id)}?tail=${maxCharacters}`;
    this.#link = new MachineLink({
      ticket,
      probe,
      open: async (secret, events) =>
        open({
          path,
          ticket: secret,
          events,
          onLog: (text) => this.#show(text),
          onMore: (text) => this.#show(this.#raw + text),
        }),
    });
    this.#link.changed.listen(() => this.changed.emit());
  }

  get text(): string {
    return this.#text;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get view(): LinkView {
    return this.#link.view;
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** Reconnects after a loss, because the machine may start again. Retries after a refusal. */
  follow(): void {
    this.#isFollowing = true;
    this.#link.start();
    this.changed.emit();
  }

  stop(): void {
    this.#isFollowing = false;
    this.#link.stop();
  }

  #show(raw: string): void {
    this.#raw = raw.slice(-maxCharacters);
    this.#text = serialText(this.#raw);
    this.#isLoaded = true;
    this.changed.emit();
  }
}
