import type { App } from './app.ts';

/** Pages on plain http in a LAN have no clipboard. */
export function hasClipboard(): boolean {
  return 'clipboard' in navigator;
}

/** Copies a text and announces it; an error is shown as a notice. @returns whether it was copied */
export async function copyText(app: App, text: string, announcement: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    app.announcer.say(announcement);
    return true;
  } catch (error) {
    app.notices.show(String(error));
    return false;
  }
}
