import type { VmId } from '@wcc/api';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditStatement } from '../../storage/audit.ts';
import type { Store, WriteStatement } from '../../storage/store.ts';
import type { VmRow } from '../record/machine-rows.ts';

/** Remembers which machines wcc itself has paused. A machine without a mark was paused by a person. */
export interface PauseMarks {
  has(row: Pick<VmRow, 'id' | 'pausedFor'>): boolean;
  /** Resolves when the mark is durable, and after a moment anyway: a full disk may refuse it, and the guest writes on. */
  set(id: VmId): Promise<void>;
  /** Writes the marks again that the store refused. */
  save(): Promise<void>;
  clear(id: VmId, statements?: readonly WriteStatement[]): Promise<void>;
}

/** The longest wait for the store before a guest is paused. */
const saveMs = 200;

export function createPauseMarks(store: Store): PauseMarks {
  /** Marks that are not durable yet. */
  const unsaved = new Set<VmId>();
  const write = async (id: VmId): Promise<void> => {
    await store.write([
      {
        query: store.db.updateTable('vms').set({ pausedFor: 'emergency_floor' }).where('id', '=', id),
      },
      event('vm.emergency_pause', id),
    ]);
    unsaved.delete(id);
  };
  return {
    has: ({ id, pausedFor }) => pausedFor !== null || unsaved.has(id),
    async set(id) {
      unsaved.add(id);
      // `save` tries again what fails here.
      await Promise.race([write(id).catch(() => {}), sleep(saveMs)]);
    },
    async save() {
      for (const id of unsaved) await write(id);
    },
    async clear(id, statements = []) {
      const query = store.db.updateTable('vms').set({ pausedFor: null }).where('id', '=', id);
      await store.write([{ query }, ...statements]);
      unsaved.delete(id);
    },
  };
}

/** The audit row of what wcc did by itself. */
export function event(what: 'vm.emergency_pause' | 'vm.emergency_resume', id: VmId): WriteStatement {
  return auditStatement({ who: 'wcc', address: 'wcc', what, subject: `vm:${id}`, result: 'ok' });
}
