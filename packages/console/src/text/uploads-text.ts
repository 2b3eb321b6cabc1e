import type { FileKind } from '../state/uploads/kind.ts';

/** Words of everything that sends or fetches files. Loaded with it. */
export interface UploadsText {
  title: string;
  lead: string;
  drop: string;
  dropMore: string;
  choose: string;
  files: string;
  name: string;
  nameOf: (file: string) => string;
  remove: (file: string) => string;
  pool: string;
  digest: string;
  digestOf: (file: string) => string;
  digestHint: string;
  badDigest: string;
  kinds: Record<FileKind, string>;
  empty: string;
  refusedKind: (kind: string) => string;
  otherThanName: (kind: string) => string;
  unreadable: string;
  twice: string;
  noneChosen: string;
  needs: string;
  free: string;
  notEnough: (needs: string, free: string) => string;
  keepOpen: string;
  submit: (count: string) => string;
  busy: string;
  close: string;
  goOn: (percent: string) => string;
  goOnHint: string;
  asNew: string;
  resuming: string;
  /** Of a row, while this page sends it. */
  waiting: string;
  offline: (at: string) => string;
  signedOut: (at: string) => string;
  elsewhere: string;
  tooLargeForProxy: string;
  proxyLost: (status: string, at: string) => string;
  proxyTimedOut: (at: string) => string;
  serverBusy: (why: string, at: string) => string;
  fileTrouble: (name: string, at: string) => string;
  wrongSize: (chosen: string, begun: string) => string;
  notThisFile: (name: string) => string;
  noDigest: string;
  importTitle: string;
  importLead: string;
  address: string;
  addressHint: string;
  badAddress: string;
  importSubmit: string;
  importNote: string;
}
