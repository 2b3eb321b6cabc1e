import { sameUnit, shortDuration } from '../text/catalogue.ts';
import type { Catalogue } from '../text/catalogue.ts';

/** German: `registerLocale('de', de)`. */
export const de: Catalogue = {
  phases: { work: 'In Arbeit' },
  verbs: {
    cancel: 'Abbrechen',
    pause: 'Anhalten',
    resume: 'Fortsetzen',
    retry: 'Wiederholen',
    again: 'Neu starten',
    dismiss: 'Ausblenden',
    details: 'Details',
    open: 'Öffnen',
  },
  reasons: {
    server_stopped: () => 'Der Server wurde angehalten',
    server_restarted: () => 'Der Server wurde neu gestartet',
    process_lost: () => 'Das ausführende Programm wurde beendet',
    process_unreachable: () => 'Keine Verbindung zum ausführenden Programm',
  },
  warnings: { cancel_too_late: 'der Abbruch kam zu spät, der Vorgang war schon fertig' },
  states: {
    queued: 'Wartet',
    paused: 'Angehalten',
    cancelling: 'Wird abgebrochen …',
    interrupted: 'Unterbrochen',
    running: 'Läuft',
    succeeded: 'Fertig',
    failed: 'Fehlgeschlagen',
    cancelled: 'Abgebrochen',
  },
  step: (index, count) => `${index} von ${count}`,
  amount: (done, total) => sameUnit(done, total).join(' von '),
  steps: (done, total, { number, plural }) =>
    total === null
      ? `${number(done)} ${plural(done, { one: 'Schritt', other: 'Schritte' })}`
      : `${number(done)} von ${number(total)} ${plural(total, { one: 'Schritt', other: 'Schritten' })}`,
  duration: shortDuration({ h: 'Std.', min: 'min', s: 's' }),
  left: (eta, { number }) => {
    if (eta.kind === 'few_seconds') return 'noch wenige Sekunden';
    if (eta.kind === 'seconds') return `noch etwa ${eta.seconds} s`;
    if (eta.kind === 'minutes') return `noch etwa ${number(eta.minutes)} min`;
    if (eta.kind === 'more_than_a_day') return 'noch mehr als ein Tag';
    return eta.minutes === 0
      ? `noch etwa ${eta.hours} Std.`
      : `noch etwa ${eta.hours} Std. ${eta.minutes} min`;
  },
  leftThen: (left, phase) => `${left}, danach ${phase}`,
  elapsed: (time) => `läuft seit ${time}`,
  by: (name) => `von ${name}`,
  skipped: (size) => `${size} leerer Platz übersprungen`,
  shared: (size) => `${size} gemeinsam genutzt`,
  queuePosition: (position) =>
    position === 1 ? 'als Nächstes an der Reihe' : `Platz ${position} in der Warteschlange`,
  noProgress: (time) => `Kein Fortschritt seit ${time}`,
  pausedAt: (percent) => `Angehalten bei ${percent}`,
  cancelledAfter: (size) => `Abgebrochen nach ${size}`,
  doneIn: (time) => `Fertig in ${time}`,
  cloneIn: (time) => `Sofortkopie in ${time}`,
  written: (size) => `${size} geschrieben`,
  shares: (size) => `nutzt ${size} gemeinsam`,
  doneBut: 'Fertig, aber:',
  restarted: (time) => `Der Server wurde um ${time} neu gestartet`,
  gone: 'Der Server kennt diesen Vorgang nicht mehr',
  lastSeenAt: (percent) => `Zuletzt bei ${percent}`,
  lastKnown: 'letzter bekannter Stand',
  noConnection: 'Keine Verbindung zum Server',
};
