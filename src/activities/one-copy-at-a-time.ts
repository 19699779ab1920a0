import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import type { Repository } from '../repository/repository.ts';
import { requireSameRepository } from '../repository/replicate/same-repository.ts';
import { fencedStore } from '../repository/turns/fenced-store.ts';
import type { Turn } from '../repository/turns/turn.ts';
import { type SeenTurns, takeTurn } from '../repository/turns/turns.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { CopyTarget } from './dependencies.ts';
import { orNothing } from './lost-repository.ts';

/** Targets that this process changes now. */
const busy = new Set<string>();
/** Of turns that other processes have: kept over attempts, since only what was watched for long enough is taken away from somebody. */
const seen: SeenTurns = new Map();
const LOOK_AGAIN_MS = 500;
/** A target is asked less often than the own memory. */
const ASK_AGAIN_MS = 2_000;

export interface AtTarget {
  readonly target: Pick<CopyTarget, 'name' | 'store'>;
  /** What the target is a copy of. */
  readonly repository: Pick<Repository, 'id'>;
  readonly wait: boolean;
}

/** What the work at a target is done with: nothing changes through it once the turn is over. */
export interface TurnAtTarget {
  fence(store: ObjectStore): ObjectStore;
  readonly operation: Operation;
}

/**
 * Copies to a target and cleanups there one after the other, over all workers on all hosts: what comes again and what goes must not be the
 * same at one time; and each copy brings all that is missing, so that two at once would send the same bytes twice.
 * @throws LifeboatError TARGET_BUSY at once, unless `wait`; TARGET_TURN_LOST, TARGET_FOREIGN, STORE_*
 */
export async function oneCopyAtATime<T>(
  { target, repository, wait }: AtTarget,
  operation: Operation,
  work: (turn: TurnAtTarget) => Promise<T>,
): Promise<T> {
  const waiting = createWaiting({ target: target.name, wait }, operation);
  while (busy.has(target.name)) await waiting(LOOK_AGAIN_MS);
  busy.add(target.name);
  try {
    const store = target.store();
    // In a place that is another repository's nothing is written, no turn either.
    await orNothing(requireSameRepository(repository, store));
    let turn = await takeTurn(store, seen);
    while (turn === undefined) {
      await waiting(ASK_AGAIN_MS);
      turn = await takeTurn(store, seen);
    }
    return await during(turn, operation, work);
  } finally {
    busy.delete(target.name);
  }
}

async function during<T>(turn: Turn, operation: Operation, work: (turn: TurnAtTarget) => Promise<T>): Promise<T> {
  const signal = AbortSignal.any([operation.signal, turn.signal]);
  try {
    return await work({ fence: (store) => fencedStore(store, turn), operation: { ...operation, signal } });
  } catch (error) {
    // What stopped in its own words stopped for this.
    if (turn.signal.aborted && !operation.signal.aborted) throw turn.signal.reason;
    throw error;
  } finally {
    await turn.end();
  }
}

function createWaiting(
  { target, wait }: { readonly target: string; readonly wait: boolean },
  operation: Operation,
): (ms: number) => Promise<void> {
  let looks = 0;
  return async (ms) => {
    if (!wait) throw new LifeboatError('TARGET_BUSY', `copy to ${target}: another copy to it goes on`);
    looks += 1;
    operation.onProgress({ phase: 'waiting for a copy that goes on', bytes: 0, items: looks });
    await delay(ms, undefined, { signal: operation.signal });
  };
}
