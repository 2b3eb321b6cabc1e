import { ApiProblem } from '@wcc/api/client';
import type { RowNote } from '@wcc/progress/text';
import type { App } from '../../app/app.ts';
import type { SignedInState } from '../../app/signed-in-state.ts';
import { size } from '../../text/format.ts';
import type { ErrorText } from '../../text/text.ts';
import { uploadsTextOf } from '../text/catalogue.ts';
import type { Sender } from '../uploads-state.ts';
import { UploadEngine } from './engine.ts';
import { guardLeaving } from './leave-guard.ts';
import { FileReadError } from './local-file.ts';
import { noteOf } from './note.ts';
import { DigestUnavailable } from './sample-digests.ts';
import { createTus } from './tus.ts';
import type { UploadView } from './upload-view.ts';

/** Connects the upload engine to the application: texts, announcements, leave guard. */
export function createSender(app: App, signedIn: SignedInState): Sender {
  const context: SenderContext = { app, signedIn };
  const lastAnnounced = new Map<string, UploadView['kind']>();
  const engine: UploadEngine = new UploadEngine({
    api: app.api,
    tus: createTus((path, init) => app.fetch(path, init)),
    operations: signedIn.operations,
    isOnline: () => signedIn.connection.isOnline,
    isSignedIn: () => app.session.view.kind === 'signed_in',
    onChange: () => {
      for (const { snapshot } of signedIn.operations.all) announce(snapshot.id);
      signedIn.uploads.changed.emit();
    },
    onRefused: (problem) => app.showError(problem),
  });
  const note = (id: string): RowNote | null => {
    const upload = engine.get(id);
    if (upload === undefined) return null;
    const text = uploadsTextOf(app.preferences);
    const at = size(upload.offsetBytes);
    const explain = (error: unknown): ErrorText => app.explain(error);
    return noteOf(upload.view, { text, name: nameOf(context, id), at, explain });
  };
  /** Announces each interruption once. The operation announces that it resumed. */
  const announce = (id: string): void => {
    const kind = engine.get(id)?.view.kind;
    if (kind === undefined || lastAnnounced.get(id) === kind) return;
    lastAnnounced.set(id, kind);
    const words = note(id);
    if (words === null || kind === 'waiting') return;
    if (kind === 'file_trouble') app.announcer.alert(words.status);
    else app.announcer.say(`${nameOf(context, id)}: ${words.status}`);
  };
  signedIn.connection.changed.listen(() => signedIn.connection.isLive && engine.retryNow());
  app.session.changed.listen(() => engine.retryNow());
  guardLeaving(signedIn.uploads.changed, () => engine.isSending, app.preferences);
  return { engine, noteOf: note, resume: (id, file) => resume({ ...context, engine }, id, file) };
}

interface SenderContext {
  app: App;
  signedIn: SignedInState;
}

function nameOf({ signedIn }: SenderContext, id: string): string {
  const snapshot = signedIn.operations.get(id)?.snapshot;
  return snapshot?.target?.name ?? snapshot?.subject.name ?? '';
}

async function resume(
  context: SenderContext & { engine: UploadEngine },
  id: string,
  file: File,
): Promise<void> {
  const { app, engine } = context;
  const text = uploadsTextOf(app.preferences);
  try {
    await engine.resume(id, file);
  } catch (error) {
    if (error instanceof FileReadError) app.notices.show(text.unreadable);
    else if (error instanceof DigestUnavailable) app.notices.show(text.noDigest);
    else if (error instanceof ApiProblem && error.code === 'wrong_file')
      app.notices.show(
        `${text.notThisFile(nameOf(context, id))} ${await mismatchText(app, { id, file, error })}`,
      );
    else throw error;
  }
}

/** Names both sizes if they differ; otherwise the server's message. */
async function mismatchText(app: App, about: { id: string; file: File; error: ApiProblem }): Promise<string> {
  const { id, file, error } = about;
  const upload = await app.api.upload(id).catch(() => null);
  const { message, hint, detail } = app.explain(error);
  if (upload === null || upload.sizeBytes === file.size) return `${message} ${hint} ${detail}`.trim();
  const words = uploadsTextOf(app.preferences).wrongSize(size(file.size), size(upload.sizeBytes));
  return `${words} ${hint}`;
}
