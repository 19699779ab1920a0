import type { Operation } from '../../domain/operation.ts';
import type { ObjectStore } from '../../storage/object-store.ts';

/** How much is looked at of what a target has already: sizes, or every byte. */
export type CopyCheck = 'size' | 'digest';

/** One run of copies from a repository to one target. */
export interface Copying {
  readonly from: ObjectStore;
  readonly to: ObjectStore;
  readonly check: CopyCheck;
  readonly operation: Operation;
  /** Grows as the run goes. */
  readonly done: {
    /** Objects that were written, and that were there. */
    copied: number;
    present: number;
    /** Bytes that were written to the target. */
    bytes: number;
    /** Bytes that went through this process, both ways: what progress shows. */
    moved: number;
  };
}

export function beginCopying(copying: Omit<Copying, 'done'>): Copying {
  return { ...copying, done: { copied: 0, present: 0, bytes: 0, moved: 0 } };
}

/** Says what is being done; `items` moves also where no byte does. */
export function sayCopying({ operation, done }: Copying, phase: string, object: string): void {
  operation.onProgress({ phase, object, bytes: done.moved, items: done.copied + done.present });
}
