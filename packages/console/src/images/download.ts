import { routes } from '@wcc/api';
import type { Image, Problem } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { App } from '../app/app.ts';

/** Longer than any answer takes to begin. Without its frame, a download that has not begun ends. */
const keepFrameMs = 600_000;

/**
 * Starts the browser's own download, which takes files of any size. A browser sends no header of a page for it, so a
 * form posts a single-use ticket. Its frame keeps this page open and receives a refusal.
 */
export async function startDownload(app: App, { id }: Image): Promise<void> {
  const { ticket } = await app.api.downloadTicket(id);
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.name = `download-${ticket.slice(0, 8)}`;
  document.body.append(frame);
  const form = createForm(routes.downloadImage(id), { target: frame.name, ticket });
  document.body.append(form);
  frame.addEventListener('load', () => {
    const text = frame.contentDocument?.body.textContent ?? '';
    if (text === '') return;
    frame.remove();
    app.showError(problemOf(text));
  });
  form.submit();
  form.remove();
  setTimeout(() => frame.remove(), keepFrameMs);
}

function createForm(action: string, { target, ticket }: { target: string; ticket: string }): HTMLFormElement {
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action, target, hidden: true });
  const field = document.createElement('input');
  Object.assign(field, { type: 'hidden', name: 'ticket', value: ticket });
  form.append(field);
  return form;
}

function problemOf(text: string): Error {
  try {
    return new ApiProblem(JSON.parse(text) as Problem);
  } catch {
    return new Error(text);
  }
}
