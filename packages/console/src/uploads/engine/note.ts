import type { RowNote } from '@wcc/progress/text';
import type { ErrorText } from '../../text/text.ts';
import type { UploadsText } from '../text/text.ts';
import type { UploadView } from './upload-view.ts';

export interface NoteContext {
  text: UploadsText;
  /** Name of the image. */
  name: string;
  /** The size that the server confirmed, as text. */
  at: string;
  explain: (error: unknown) => ErrorText;
}

/**
 * Second line of the row of an upload that this page sends; `null` when the operation's own text is right.
 */
export function noteOf(view: UploadView, { text, name, at, explain }: NoteContext): RowNote | null {
  switch (view.kind) {
    case 'waiting':
      return { status: text.waiting, look: 'queued' };
    case 'offline':
      return { status: text.offline(at), look: 'stalled' };
    case 'signed_out':
      return { status: text.signedOut(at), look: 'stalled' };
    case 'elsewhere':
      return { status: text.elsewhere, look: 'queued' };
    case 'refused': {
      const { status, code } = view.problem;
      const isProxy = code === 'foreign_answer';
      if (isProxy && status === 413) return { status: text.tooLargeForProxy, look: 'stalled' };
      if (isProxy && status === 504) return { status: text.proxyTimedOut(at), look: 'stalled' };
      if (isProxy) return { status: text.proxyLost(String(status), at), look: 'stalled' };
      return { status: text.serverBusy(explain(view.problem).message, at), look: 'stalled' };
    }
    case 'file_trouble':
      return { status: text.fileReadError(name, at), look: 'stalled' };
    // The operation itself shows these states.
    case 'sending':
    case 'paused':
    case 'over':
    default:
      return null;
  }
}
