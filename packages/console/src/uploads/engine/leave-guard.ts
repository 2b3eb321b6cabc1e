import type { Preferences } from '../../app/preferences.ts';
import type { Emitter } from '../../ui/emitter.ts';

const onBeforeUnload = (event: BeforeUnloadEvent): void => event.preventDefault();

/**
 * While files are sent, asks before the page is closed and optionally keeps the computer awake. Listens to
 * `beforeunload` only then, because a listener disables the back-forward cache.
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
  /** The browser releases a wake lock when the page is hidden; it is requested again when visible. */
  const keepAwake = async (): Promise<void> => {
    const wanted = isKept && preferences.keepAwake && document.visibilityState === 'visible';
    if (!wanted) {
      const released = lock;
      lock = null;
      await released?.release();
      return;
    }
    if (lock !== null && !lock.released) return;
    const { wakeLock } = navigator as Partial<Navigator>;
    // Refused on a low battery, missing on plain http. Then the computer may sleep; the upload resumes
    // afterwards.
    lock = (await wakeLock?.request('screen').catch(() => null)) ?? null;
  };
  changed.listen(update);
  preferences.changed.listen(update);
  document.addEventListener('visibilitychange', update);
  update();
}
