import type { Host, Vm, VmId } from '@wcc/api';
import type { ApiClient } from '@wcc/api/client';
import type { Snapshot } from '@wcc/progress';
import type { App } from '../app/app.ts';
import type { SignedInState } from '../app/signed-in-state.ts';
import { LoadedState } from '../ui/loaded-state.ts';

const pollMs = 3000;
/** What the host has left changes more slowly than its machines. */
const hostEveryNthPoll = 5;

export interface VmsOptions {
  api: Pick<ApiClient, 'vms' | 'host'>;
  /** Whether asking makes sense: somebody is signed in, and nobody holds the page still. */
  isAsking: () => boolean;
}

/**
 * The machines and what runs them, as last loaded. What operations do is told by the socket, and asked for at
 * once. A machine that is switched on or off, or ends by itself, is told by nobody: as long as a page follows and
 * is visible, the list is asked for every three seconds.
 */
export class VmsState extends LoadedState {
  readonly #options: VmsOptions;
  #vms: readonly Vm[] = [];
  #host: Host | null = null;
  #pollers = 0;
  #turn = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: VmsOptions) {
    super();
    this.#options = options;
    document.addEventListener('visibilitychange', () => this.#look());
  }

  get all(): readonly Vm[] {
    return this.#vms;
  }

  /** `null` until the server has told. */
  get host(): Host | null {
    return this.#host;
  }

  get(id: VmId): Vm | undefined {
    return this.#vms.find((vm) => vm.id === id);
  }

  /** Asks again and again until the returned function is called. */
  startPolling(): () => void {
    this.#pollers += 1;
    void this.load();
    void this.loadHost();
    this.#timer ??= setInterval(() => this.#look(), pollMs);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#pollers -= 1;
      if (this.#pollers > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** What is known of the host stays when it cannot be asked for. */
  async loadHost(): Promise<void> {
    try {
      this.#host = await this.#options.api.host();
      this.changed.emit();
    } catch {
      // The list of machines meets the same trouble, and says so.
    }
  }

  /** Puts in what an order answered; the next list has the rest. */
  put(vm: Vm): void {
    this.#vms = this.#vms.map((each) => (each.uuid === vm.uuid ? vm : each));
    this.changed.emit();
    void this.load();
  }

  #look(): void {
    if (this.#pollers === 0 || document.visibilityState === 'hidden' || !this.#options.isAsking()) return;
    this.#turn += 1;
    void this.load();
    if (this.#turn % hostEveryNthPoll === 0) void this.loadHost();
  }

  protected override async fetch(): Promise<void> {
    this.#vms = (await this.#options.api.vms()).items;
  }
}

const ofDesk = new WeakMap<SignedInState, VmsState>();

/** One for all pages of whoever is signed in. Made when the first of them is shown: the console loads without it. */
export function vmsOf(app: App): VmsState {
  const { signedIn } = app;
  if (signedIn === null) throw new Error('Machines need somebody signed in.');
  const known = ofDesk.get(signedIn);
  if (known !== undefined) return known;
  const vms = new VmsState({
    api: app.api,
    isAsking: () => app.session.view.kind === 'signed_in' && !signedIn.operations.isPaused,
  });
  ofDesk.set(signedIn, vms);
  // An operation that began or ended made, changed or took away a machine.
  signedIn.operations.listenAll(({ snapshot }, before) => {
    if (isAboutVm(snapshot) && snapshot.state !== before?.snapshot.state) void vms.load();
  });
  return vms;
}

function isAboutVm({ subject, target, result }: Snapshot): boolean {
  return [subject, target, result].some((each) => each?.kind === 'vm');
}
