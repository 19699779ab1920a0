import { z } from 'zod';
import type { ObjectStore } from '../../storage/object-store.ts';
import { canonicalJson } from '../canonical-json.ts';
import { TURNS_PREFIX } from '../layout.ts';
import { parseJson, readSmallObject } from '../small-object.ts';
import type { TurnHolder } from './turn-holder.ts';

const DIGITS = 12;
const KEY = new RegExp(`^${TURNS_PREFIX}(\\d{${DIGITS}})\\.json$`);

/** `turns/<000000000001>.json`: the highest number has the turn until it says that it is over, or says nothing for too long. */
const RECORD = z.looseObject({
  version: z.literal(1),
  holder: z.looseObject({
    host: z.string(),
    pidSpace: z.string(),
    pid: z.number(),
    startedAt: z.string(),
    token: z.string(),
  }),
  /** Grows while the turn goes on. */
  renewal: z.number(),
  over: z.boolean(),
});

export interface TurnRecord {
  readonly holder: TurnHolder;
  readonly renewal: number;
  readonly over: boolean;
}

export interface FoundTurn {
  readonly number: number;
  /** As it lies there: the same again says that its holder has written nothing meanwhile. */
  readonly text: string;
  /** Undefined for one that nobody can read: it counts until it was the same for long enough. */
  readonly record: TurnRecord | undefined;
}

export const turnKey = (number: number): string => `${TURNS_PREFIX}${String(number).padStart(DIGITS, '0')}.json`;

export function encodeTurn(record: TurnRecord): Buffer {
  return canonicalJson({ version: 1, ...record });
}

/** Numbers that are there, ascending. */
export async function turnNumbers(store: ObjectStore): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { key } of store.list(TURNS_PREFIX)) {
    const found = KEY.exec(key);
    if (found !== null) numbers.push(Number(found[1]));
  }
  return numbers;
}

/** Undefined where nobody ever had one. */
export async function newestTurn(store: ObjectStore): Promise<FoundTurn | undefined> {
  const number = (await turnNumbers(store)).at(-1);
  if (number === undefined) return undefined;
  const bytes = (await readSmallObject(store, turnKey(number))) ?? Buffer.alloc(0);
  const parsed = RECORD.safeParse(parseJson(bytes));
  return { number, text: bytes.toString('latin1'), record: parsed.success ? parsed.data : undefined };
}
