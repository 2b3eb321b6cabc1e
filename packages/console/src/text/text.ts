import type { HealthReason, HealthWarning, ImageNameProblem, PasswordProblem } from '@wcc/api';

export type Locale = 'en' | 'ja';

/** What an administrator should look at. */
export type HealthCode = HealthReason['code'] | HealthWarning;

export interface ErrorText {
  message: string;
  hint: string;
}

/**
 * Texts of the shell, and texts that several features share. Sizes, times and counts are passed as formatted
 * strings.
 */
export interface Text {
  shell: {
    skip: string;
    home: string;
    vms: string;
    vm: string;
    createVm: string;
    images: string;
    operations: string;
    operation: string;
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
    health: Record<HealthCode, string>;
    newVersion: string;
    reload: string;
    loading: string;
    unreachable: string;
    unreachableHint: string;
    noSuchPage: string;
    toHome: string;
    disabledOffline: string;
    morePages: string;
    menuPages: Record<'users' | 'tokens' | 'audit' | 'system' | 'settings', string>;
    tryAgain: string;
    actions: string;
    close: string;
    cancel: string;
    /** `failed` is empty when none of them failed. */
    manyChanged: (count: string, failed: string) => string;
  };
  signIn: {
    title: string;
    lead: string;
    expired: string;
    /** The session of before is unusable after an update. */
    again: string;
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
    badName: string;
    toSignIn: string;
  };
  passwordProblems: Record<PasswordProblem, string>;
  imageName: {
    problems: Record<ImageNameProblem, string>;
    taken: string;
    free: string;
  };
  pause: {
    pause: string;
    resume: string;
    paused: string;
    pausedLead: string;
  };
}
