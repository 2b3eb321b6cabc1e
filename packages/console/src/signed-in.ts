import { routes } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { OperationError } from '@wcc/progress';
import { connect } from '@wcc/progress/client';
import type { App } from './app/app.ts';
import { ConnectionState } from './app/connection-state.ts';
import { HealthState } from './app/health-state.ts';
import type { SignedInState } from './app/signed-in-state.ts';
import { ImagesState } from './images/images-state.ts';
import { announcementOf } from './operations/announcements.ts';
import { OperationsState } from './operations/operations-state.ts';
import type { OperationListener } from './operations/operations-state.ts';
import { TabTitle } from './operations/tab-title.ts';
import { Tray } from './operations/tray-state.ts';
import type { LoadedState } from './ui/loaded-state.ts';
import { Uploads } from './uploads/uploads-state.ts';

const refreshMs = 30_000;

/** Opens the live connection of a signed-in user and builds the state of every feature on it. */
export function openSignedIn(app: App): SignedInState {
  const live = connect(routes.socket(), {
    ticket: (signal) => requestTicket(app, signal),
    events: routes.events(),
    fetch: (input, init) => app.fetch(input, init),
  });
  const images = new ImagesState(app.api);
  const operations = new OperationsState(live);
  const health = new HealthState({
    api: app.api,
    isAdmin: () => app.session.current?.user.role === 'admin',
    onFound: (codes) => app.announcer.alert(codes.map((code) => app.text.shell.health[code]).join(' ')),
  });
  const connection = new ConnectionState(live, {
    lost: () => app.announcer.say(app.text.shell.disconnected),
    // The server may have a new version now, and this page may have missed changes.
    back: () => {
      app.announcer.say(app.text.shell.backAgain);
      void app.session.load();
      signedIn.reload();
    },
  });
  live.onStatus((status) => {
    if (status.state === 'signed_out') app.session.expire();
  });
  const uploads = new Uploads({
    load: async () => (await import('./uploads/elements.ts')).createSender(app, signedIn),
    userId: () => app.userId,
    onProblem: (error) => app.showError(error),
  });
  operations.listenAll((entry, before) => {
    const hasSucceeded = entry.snapshot.state === 'succeeded' && before?.snapshot.state !== 'succeeded';
    if (hasSucceeded && !entry.isHistory) void images.load();
  });
  operations.listenAll(announceChanges(app, uploads));
  refresh(app, [images, health]);
  const signedIn: SignedInState = {
    live,
    connection,
    health,
    reload: () => {
      void images.load();
      void health.load();
    },
    images,
    operations,
    uploads,
    tray: openTray(app, operations),
  };
  return signedIn;
}

async function requestTicket(app: App, signal: AbortSignal): Promise<string | null> {
  try {
    return (await app.api.watchTicket(signal)).ticket;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) return null;
    throw error;
  }
}

function announceChanges(app: App, uploads: Uploads): OperationListener {
  const explain = (error: OperationError): string => {
    const { message, hint } = app.explainOperation(error);
    return `${message} ${hint}`;
  };
  return (entry, before) => {
    const announcement = announcementOf(entry, before, {
      locale: app.preferences.locale,
      userId: app.userId,
      isSending: (id) => uploads.isSending(id),
      explain,
    });
    if (announcement === null) return;
    if (announcement.isAlert) app.announcer.alert(announcement.text);
    else app.announcer.say(announcement.text);
  };
}

/** Reloads regularly what the server does not push. */
function refresh(app: App, states: readonly LoadedState[]): void {
  const load = (): void => {
    if (document.visibilityState !== 'visible' || app.session.view.kind !== 'signed_in') return;
    for (const state of states) void state.load();
  };
  setInterval(load, refreshMs);
  document.addEventListener('visibilitychange', load);
}

function openTray(app: App, operations: OperationsState): Tray {
  const title = new TabTitle({ operations, userId: () => app.userId, page: () => app.pageTitle });
  for (const { changed } of [app.router, app.preferences]) changed.listen(() => title.update());
  return new Tray(operations, {
    // An administrator sees the operations of all users; other users see only their own operations and those shared
    // with them.
    isRelevant: ({ owner }) => owner === app.userId || app.session.current?.user.role !== 'admin',
    fetch: async (id) => operations.offer(await app.api.operation(id)),
  });
}
