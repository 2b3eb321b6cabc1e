import type { Preferences } from '../../app/preferences.ts';
import type { Emitter } from '../../ui/emitter.ts';

const onBeforeUnload = (event: BeforeUnloadEvent): void => event.preventDefault();

/**
 * While something is sent: closing the page is asked about, and by choice the computer stays awake. Not a moment
 * longer, since a page that listens to `beforeunload` is kept in no back-forward cache.
 */
export function guardLeaving(changed: Emitter, isSending: () => boolean, preferences: Preferences): void {
  let isKept = false;
  let lock: WakeLockSentinel | null = null;
  const update = (): void => {
    if (isSending() !== isKept) {
      isKept = isSending();
      if (isKept) addEventListener('beforeunload', onBeforeUnload);
      else removeEventListener('beforeunload', onBeforeUnload);
    }
    void keepAwake();
  };
  /** A lock ends by itself when the page is hidden; it is asked for again when it is seen. */
  const keepAwake = async (): Promise<void> => {
    const wanted = isKept && preferences.keepAwake && document.visibilityState === 'visible';
    if (!wanted) {
      const held = lock;
      lock = null;
      await held?.release();
      return;
    }
    if (lock !== null && !lock.released) return;
    const { wakeLock } = navigator as Partial<Navigator>;
    // Refused on a low battery, missing on plain http: then the computer may sleep, and the upload goes on after.
    lock = (await wakeLock?.request('screen').catch(() => null)) ?? null;
  };
  changed.listen(update);
  preferences.changed.listen(update);
  document.addEventListener('visibilitychange', update);
  update();
}
