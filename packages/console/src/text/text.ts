import type { ImageNameProblem } from '@wcc/api';
import type { OperationsText, OperationText, PauseText, TrayText } from '../operations/text/text.ts';

export type Locale = 'en' | 'ja';

export interface ErrorWords {
  message: string;
  hint: string;
}

/**
 * Every word of the console. Each language is one object of this type, so that a forgotten text does not
 * compile. Sizes, times and counts come in as finished strings.
 */
export interface Text {
  shell: {
    skip: string;
    home: string;
    machines: string;
    machine: string;
    createMachine: string;
    images: string;
    operations: string;
    running: (count: string) => string;
    navigation: string;
    userMenu: (name: string) => string;
    language: string;
    theme: string;
    themes: Record<'system' | 'light' | 'dark', string>;
    roles: Record<'admin' | 'operator' | 'viewer', string>;
    signOut: string;
    lost: (ago: string) => string;
    retryNow: string;
    connected: string;
    disconnected: string;
    connecting: string;
    backAgain: string;
    tooManyWindows: string;
    newVersion: string;
    reload: string;
    loading: string;
    unreachable: string;
    unreachableHint: string;
    noSuchPage: string;
    toHome: string;
    disabledOffline: string;
    morePages: string;
    menuPages: Record<'users' | 'tokens' | 'audit' | 'settings', string>;
  };
  signIn: {
    title: string;
    lead: string;
    expired: string;
    name: string;
    password: string;
    submit: string;
    busy: string;
    missing: string;
  };
  firstSignIn: {
    title: string;
    lead: string;
    name: string;
    nameHint: string;
    password: string;
    passwordHint: string;
    show: string;
    submit: string;
    noSecret: string;
    tooShort: string;
    badName: string;
    toSignIn: string;
  };
  images: {
    title: string;
    name: string;
    format: string;
    virtualSize: string;
    onDisk: string;
    state: string;
    actions: string;
    copy: string;
    copyNamed: (name: string) => string;
    states: Record<'ready' | 'missing' | 'refused', string>;
    missingHint: string;
    reasons: Record<string, string>;
    otherReason: (code: string) => string;
    beingCopied: string;
    rescan: string;
    rescanning: string;
    rescanned: (counts: { added: number; missing: number; returned: number; refused: number }) => string;
    free: (free: string, total: string) => string;
    reserved: (size: string) => string;
    clonePossible: string;
    space: string;
    unavailable: string;
    emptyTitle: string;
    emptyLead: string;
    makeSample: string;
    upload: string;
    importFrom: string;
    dropHere: string;
    detailsOf: (name: string) => string;
    template: string;
    sampleHint: string;
    putFiles: string;
    thenRescan: string;
    again: string;
    viewerHint: string;
  };
  copy: {
    title: string;
    of: string;
    name: string;
    nameProblems: Record<ImageNameProblem, string>;
    taken: string;
    free: string;
    method: string;
    methods: Record<'auto' | 'clone' | 'copy', string>;
    methodHints: Record<'auto' | 'clone' | 'copy', string>;
    cloneImpossible: string;
    limit: string;
    limitUnit: string;
    limitHint: string;
    badLimit: string;
    verify: string;
    verifyHint: string;
    before: string;
    image: string;
    imageFacts: (virtual: string, data: string) => string;
    needs: string;
    needsShared: string;
    freeSpace: string;
    instant: string;
    instantYes: string;
    instantNo: string;
    notEnough: (needs: string, free: string) => string;
    leave: string;
    submit: string;
    busy: string;
    close: string;
    planFailed: string;
  };
  operations: OperationsText;
  operation: OperationText;
  tray: TrayText;
  pause: PauseText;
  news: {
    started: (what: string) => string;
    quarter: (what: string, percent: string) => string;
    stalled: (what: string) => string;
    paused: (what: string) => string;
    resumed: (what: string) => string;
    cancelling: (what: string) => string;
    cancelled: (what: string) => string;
    succeeded: (what: string) => string;
    failed: (what: string, why: string) => string;
    interrupted: (what: string) => string;
    unknown: (what: string) => string;
    /** `failed` is empty when none of them did. */
    many: (count: string, failed: string) => string;
    silent: (what: string) => string;
    waitsForFile: (what: string) => string;
    copyOf: (source: string, target: string) => string;
    making: (target: string) => string;
  };
}
