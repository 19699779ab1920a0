import { spaceInUse } from '../activities/space-in-use.ts';
import { within } from '../activities/within.ts';
import { toLifeboatError } from '../domain/errors.ts';
import { known, type Look, type Reading, type Sample } from '../monitoring/sample.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** A store that answers at all answers a question for one small object by then. */
const ANSWER_MS = 10_000;

/** A store by the name that metrics give it. */
export interface NamedStore {
  readonly name: string;
  /** @throws LifeboatError STORE_*, CONFIG_* */
  store(): ObjectStore;
}

/** Whether the stores answer, and what is free where they can tell. That one does not is a result, and no error. */
export async function sampleStores(stores: readonly NamedStore[]): Promise<Sample> {
  const found = await Promise.all(stores.map(lookAt));
  return { looks: found.map(({ look }) => look), gauges: found.flatMap(({ gauges }) => gauges) };
}

async function lookAt({ name, store }: NamedStore): Promise<{ readonly look: Look; readonly gauges: Reading[] }> {
  const labels = { store: name };
  try {
    const space = await within(ANSWER_MS, { doing: `ask store ${name}` }, spaceInUse(store()));
    const gauges = [
      ...known('lifeboat_store_up', 1, labels),
      ...known('lifeboat_storage_free_bytes', space?.freeBytes ?? null, labels),
      ...known('lifeboat_storage_size_bytes', space?.totalBytes ?? null, labels),
    ];
    return { look: { what: 'store', name, up: true, problem: null }, gauges };
  } catch (error) {
    const { code, message } = toLifeboatError(error);
    const look: Look = { what: 'store', name, up: false, problem: `${code}: ${message}` };
    return { look, gauges: known('lifeboat_store_up', 0, labels) };
  }
}
