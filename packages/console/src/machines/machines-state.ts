import type { Host, Vm, VmId } from '@wcc/api';
import type { ApiClient } from '@wcc/api/client';
import type { Snapshot } from '@wcc/progress';
import type { App } from '../app/app.ts';
import type { SignedInState } from '../app/signed-in-state.ts';
import { LoadedState } from '../ui/loaded-state.ts';

const pollMs = 3000;
/** The host changes more slowly than its machines. */
const hostEveryNthPoll = 5;

export interface VmsOptions {
  api: Pick<ApiClient, 'vms' | 'host'>;
  /** Whether to poll: a user is signed in, and live updates are not paused. */
  isAsking: () => boolean;
}

/**
 * The machines and the host, as last loaded. The list is reloaded after each operation. Power changes are not
 * pushed, so it is also polled every three seconds while a page needs it and is visible.
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

  /** `null` until loaded. */
  get host(): Host | null {
    return this.#host;
  }

  get(id: VmId): Vm | undefined {
    return this.#vms.find((vm) => vm.id === id);
  }

  /** Polls until the returned function is called. */
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

  /** Keeps the last known host when loading fails. */
  async loadHost(): Promise<void> {
    try {
      this.#host = await this.#options.api.host();
      this.changed.emit();
    } catch {
      // The list of machines fails for the same reason and shows it.
    }
  }

  /** Shows the machine that a command returned; the list is reloaded. */
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

/** The state that all pages of a signed-in user share. Created with the first page that needs it. */
export function vmsOf(app: App): VmsState {
  const { signedIn } = app;
  if (signedIn === null) throw new Error('Machines need a signed-in user.');
  const known = ofDesk.get(signedIn);
  if (known !== undefined) return known;
  const vms = new VmsState({
    api: app.api,
    isAsking: () => app.session.view.kind === 'signed_in' && !signedIn.operations.isPaused,
  });
  ofDesk.set(signedIn, vms);
  // An operation that started or ended may have created, changed or deleted a machine.
  signedIn.operations.listenAll(({ snapshot }, before) => {
    if (isAboutVm(snapshot) && snapshot.state !== before?.snapshot.state) void vms.load();
  });
  return vms;
}

function isAboutVm({ subject, target, result }: Snapshot): boolean {
  return [subject, target, result].some((each) => each?.kind === 'vm');
}
