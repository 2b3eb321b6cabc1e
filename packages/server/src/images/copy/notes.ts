/** By `cloneRefused` of the copy engine. */
const cloneReasons: Readonly<Record<string, string>> = {
  file_system_unsupported: 'the file system cannot share blocks',
  other_file_system: 'source and target are on different file systems',
  refused_by_file_system: 'the file system refused to share blocks of this file',
  source_is_swap: 'the source is in use as swap space',
};

/** By `restartedBecause` of the copy engine. */
const restartReasons: Readonly<Record<string, string>> = {
  not_asked: 'the request excludes a resume',
  newer_checkpoint: 'a newer version of wcc wrote the checkpoint',
  no_checkpoint: 'the earlier copy has no checkpoint',
  other_destination: 'the checkpoint belongs to another target',
  partial_replaced: 'another file replaced the partial',
  partial_cut: 'the partial is shorter than its checkpoint',
  source_changed: 'the source changed',
  other_method: 'the earlier copy shared blocks, and this copy must not',
};

/** The note of the log about a refused clone. A reason without a sentence appears as its code. */
export function cloneNote(reason: string): string {
  return `The copy does not share blocks: ${cloneReasons[reason] ?? reason}.`;
}

/** The note of the log about a copy that cannot resume. A reason without a sentence appears as its code. */
export function restartNote(reason: string): string {
  return `The copy starts from zero: ${restartReasons[reason] ?? reason}.`;
}
