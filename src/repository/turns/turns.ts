import { performance } from 'node:perf_hooks';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { type HeldTurn, holdTurn, moment } from './hold-turn.ts';
import { forgetHolder, isKnownOver, ownHolder } from './turn-holder.ts';
import type { Turn, TurnTimes } from './turn.ts';
import { encodeTurn, type FoundTurn, newestTurn, turnKey, turnNumbers } from './turn-record.ts';

export const TURN_TIMES: TurnTimes = { renewMs: 8_000, trustMs: 30_000, takeMs: 60_000 };

/** What was seen of a store's turns, and since when: kept from one question to the next, since no clock but the own one is believed. */
export type SeenTurns = Map<string, { readonly text: string; readonly sinceMs: number }>;

/**
 * Takes the turn at a store where nobody has it; undefined while somebody does, and then the question is asked again.
 * A turn is a number that is taken by if-none-match. One whose holder is over, is known to be dead, or wrote nothing for as long as *this*
 * process has watched it is followed by the next number.
 */
export async function takeTurn(store: ObjectStore, seen: SeenTurns, times = TURN_TIMES): Promise<Turn | undefined> {
  const found = await newestTurn(store);
  if (found !== undefined && !(await isFree(store, found, { seen, times }))) return undefined;
  const number = (found?.number ?? 0) + 1;
  const held = { number, holder: await ownHolder(), since: moment() };
  try {
    if (await isTaken(store, held)) {
      seen.delete(store.url);
      return holdTurn(store, held, times);
    }
  } catch (error) {
    forgetHolder(held.holder);
    throw error;
  }
  forgetHolder(held.holder);
  return undefined;
}

async function isTaken(store: ObjectStore, { number, holder }: HeldTurn): Promise<boolean> {
  if (!(await putFirst(store, turnKey(number), encodeTurn({ holder, renewal: 0, over: false })))) return false;
  // A number that was removed can be taken again by whoever looked before that: only the highest one counts.
  const numbers = await turnNumbers(store);
  if (numbers.at(-1) !== number) return false;
  for (const older of numbers.slice(0, -1)) await removeUnlocked(store, turnKey(older));
  return true;
}

async function isFree(
  { url }: ObjectStore,
  { number, text, record }: FoundTurn,
  { seen, times }: { readonly seen: SeenTurns; readonly times: TurnTimes },
): Promise<boolean> {
  if (record !== undefined && (record.over || (await isKnownOver(record.holder)))) return true;
  const now = performance.now();
  const shown = `${number} ${text}`;
  const before = seen.get(url);
  if (before?.text !== shown) seen.set(url, { text: shown, sinceMs: now });
  return before?.text === shown && now - before.sinceMs > times.takeMs;
}

async function putFirst(store: ObjectStore, key: string, bytes: Buffer): Promise<boolean> {
  try {
    await store.put(key, bytes, { ifNoneMatch: true });
    return true;
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS') return false;
    throw error;
  }
}

/** What a lock of the store keeps goes when a later turn finds it unlocked. */
async function removeUnlocked(store: ObjectStore, key: string): Promise<void> {
  try {
    await store.remove(key);
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_LOCKED')) throw error;
  }
}
