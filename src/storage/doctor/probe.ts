import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '../object-store.ts';

/** What a question to a store is written below; whoever dies in between leaves it. */
export const PROBE_PREFIX = 'probe/';

/** Something that a store is asked to do. It gives what was found, or throws the LifeboatError that says what is wrong. */
export interface Probe {
  readonly name: string;
  /** `undefined` where the question does not arise. */
  run(): Promise<ProbeAnswer>;
}

export interface ProbeAnswer {
  readonly status: 'pass' | 'skip';
  /** What was found, and what that means. */
  readonly message: string;
  readonly hint?: string;
}

export function pass(message: string): ProbeAnswer {
  return { status: 'pass', message };
}

export function skip(message: string, hint = ''): ProbeAnswer {
  return { status: 'skip', message, hint };
}

/** Keys below a prefix of its own, all removed when `work` is done. */
export async function withProbeKeys<T>(store: ObjectStore, work: (prefix: string) => Promise<T>): Promise<T> {
  const prefix = `${PROBE_PREFIX}${randomUUID()}/`;
  try {
    return await work(prefix);
  } finally {
    await store.removeLeftovers(prefix, 0);
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) keys.push(key);
    for (const key of keys) await store.remove(key);
  }
}
