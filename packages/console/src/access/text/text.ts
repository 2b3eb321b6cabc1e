import type { GrantLevel, Role, TokenScope } from '@wcc/api';

/** Areas of the audit log. The code of an entry begins with its area. */
export const auditAreas = [
  'session',
  'password',
  'user',
  'token',
  'grant',
  'share',
  'operation',
  'copy_vm_image',
  'make_sample_image',
  'create_vm',
  'quick_create_vm',
  'copy_vm',
  'delete_vm',
  'start_vm',
  'vm',
  'profile',
  'upload_image',
  'import_image',
  'convert_image',
  'verify_image',
  'delete_image',
  'image',
  'pool',
] as const;
export type AuditArea = (typeof auditAreas)[number];

/** Possible lifetimes of a share link, in seconds. */
export const shareLifetimes = [3600, 86_400, 604_800] as const;
export type ShareLifetime = (typeof shareLifetimes)[number];

/** Possible lifetimes of a token, in days. */
export const tokenLifetimes = [7, 30, 90, 366] as const;
export type TokenLifetime = (typeof tokenLifetimes)[number];

/** Texts of the pages about access. */
export interface AccessText {
  revoke: string;
  secret: {
    once: string;
    copy: string;
    copied: string;
    /** Shown where pages have no clipboard, e.g. on plain http in a LAN. */
    select: string;
    selected: string;
  };
  users: {
    title: string;
    lead: string;
    add: string;
    name: string;
    nameHint: string;
    badName: string;
    taken: string;
    role: string;
    roleHints: Record<Role, string>;
    state: string;
    active: string;
    disabled: string;
    since: string;
    you: string;
    change: string;
    changeNamed: (name: string) => string;
    password: string;
    newPassword: string;
    passwordHint: string;
    keepPassword: string;
    generate: string;
    mayNotSignIn: string;
    mayNotSignInHint: string;
    endsSessions: string;
    endsOwnSession: string;
    ownPassword: string;
    create: string;
    save: string;
    busy: string;
    created: (name: string) => string;
    changed: (name: string) => string;
    handOver: (name: string) => string;
  };
  tokens: {
    title: string;
    lead: string;
    whose: string;
    mine: string;
    anyone: string;
    add: string;
    name: string;
    nameHint: string;
    noName: string;
    scope: string;
    scopes: Record<TokenScope, string>;
    scopeHints: Record<TokenScope, string>;
    owner: string;
    created: string;
    expires: string;
    expired: string;
    lastUsed: string;
    never: string;
    life: string;
    lives: Record<TokenLifetime, string>;
    create: string;
    busy: string;
    made: (name: string) => string;
    usage: string;
    none: string;
    noneLead: string;
    revokeNamed: (name: string) => string;
    revokeTitle: string;
    revokeWords: (name: string) => string;
    revoked: (name: string) => string;
  };
  audit: {
    title: string;
    lead: string;
    when: string;
    who: string;
    what: string;
    subject: string;
    from: string;
    result: string;
    any: string;
    areas: Record<AuditArea, string>;
    /** Keyed by the code of the entry, up to its first space. */
    events: Readonly<Record<string, string>>;
    done: string;
    more: string;
    none: string;
    filters: string;
    operation: string;
  };
  settings: {
    title: string;
    password: string;
    passwordLead: string;
    current: string;
    next: string;
    wrongCurrent: string;
    change: string;
    busy: string;
    changed: string;
    look: string;
    live: string;
    liveLead: string;
    awake: string;
    awakeLead: string;
    awakeChoice: string;
    units: string;
    unitsLead: string;
    missing: string;
    profile: {
      title: string;
      lead: string;
      user: string;
      userHint: string;
      sshKeys: string;
      sshKeysHint: string;
      /** `line`: number of the key, from 1. */
      problems: Record<'badUser' | 'badKey' | 'privateKey' | 'tooMany', (line: number) => string>;
      save: string;
      busy: string;
      saved: string;
    };
  };
  access: {
    title: string;
    people: string;
    peopleLead: string;
    none: string;
    userName: string;
    noSuchUser: string;
    level: string;
    levels: Record<GrantLevel, string>;
    add: string;
    by: (name: string) => string;
    revokeFrom: (name: string) => string;
    given: (name: string) => string;
    taken: (name: string) => string;
    links: string;
    linksLead: string;
    noLinks: string;
    linkName: string;
    linkNameHint: string;
    life: string;
    lives: Record<ShareLifetime, string>;
    createLink: string;
    linkFor: (name: string) => string;
    unnamed: string;
    until: (time: string) => string;
    newLink: string;
    revokeLink: (name: string) => string;
    revokeTitle: string;
    revokeWords: string;
    linkRevoked: string;
  };
}
