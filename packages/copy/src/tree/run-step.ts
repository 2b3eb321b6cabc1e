import type { TreeRequest, TreeStepResult } from '../contract/tree.ts';
import { copyEntries } from './copy-entries.ts';
import { createContext } from './context.ts';
import type { CopyLarge, TreeContext } from './context.ts';
import { discardTree, measureTree } from './discard.ts';
import { flushTree } from './flush-tree.ts';
import { findEarlierPublication, prepareStaging } from './prepare.ts';
import { publishTree } from './publish-tree.ts';
import { scanTree } from './scan.ts';

const steps: Readonly<Record<TreeRequest['step'], (context: TreeContext) => void>> = {
  scan: (context) => {
    context.result.next = findEarlierPublication(context);
    if (context.result.next === 'copy') scanTree(context);
  },
  prepare: prepareStaging,
  copy: copyEntries,
  flush: flushTree,
  publish: publishTree,
  measure: measureTree,
  discard: discardTree,
};

/** Runs one step of a tree copy on a worker thread. */
export function runTreeStep(request: TreeRequest, copyLarge: CopyLarge): TreeStepResult {
  const context = createContext(request, copyLarge);
  steps[request.step](context);
  return context.result;
}
