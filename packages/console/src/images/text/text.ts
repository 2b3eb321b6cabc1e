/** Texts about one image and its actions. */
export interface ImageText {
  back: string;
  notFound: string;
  notFoundHint: string;
  facts: string;
  id: string;
  fileSize: string;
  pool: string;
  created: string;
  lineage: string;
  copiedFrom: string;
  copies: string;
  noLineage: string;
  lost: (id: string) => string;
  checksum: string;
  noChecksum: string;
  copyText: string;
  copied: string;
  usedBy: string;
  unused: string;
  users: Record<'vm' | 'image' | 'operation', string>;
  operations: string;
  noOperations: string;
  allOperations: string;
  convert: string;
  verify: string;
  createVm: string;
  quickCreate: string;
  download: string;
  remove: string;
  private: string;
  baseChanged: string;
  acceptBase: string;
  acceptBaseLead: string;
  acceptBaseSubmit: string;
  publish: string;
  publishTitle: string;
  publishLead: string;
  publishSubmit: string;
  markTemplate: string;
  unmarkTemplate: string;
  busy: string;
  convertTitle: string;
  convertLead: string;
  name: string;
  format: string;
  formats: Record<'raw' | 'qcow2', string>;
  formatHints: Record<'raw' | 'qcow2', string>;
  compress: string;
  compressHint: string;
  convertSubmit: string;
  mayLeave: string;
  verifyTitle: string;
  verifyLead: string;
  expected: string;
  expectedHint: string;
  badDigest: string;
  verifySubmit: string;
  removeTitle: string;
  removeLead: (size: string) => string;
  removeFile: string;
  removeNothingElse: string;
  removeUsed: string;
  removeTemplate: string;
  removeSubmit: string;
}

/** Texts of the list of images. */
export interface ImageListText {
  title: string;
  name: string;
  format: string;
  virtualSize: string;
  onDisk: string;
  state: string;
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
  viewerHint: string;
}

/** Texts of the dialog that copies an image. */
export interface CopyText {
  title: string;
  of: string;
  name: string;
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
  planFailed: string;
}

/** All texts of this feature. */
export interface ImagesText {
  list: ImageListText;
  copy: CopyText;
  image: ImageText;
}
