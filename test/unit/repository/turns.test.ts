import { setTimeout as delay } from 'node:timers/promises';
import { fencedStore } from '../../../src/repository/turns/fenced-store.ts';
import { takeTurn, type SeenTurns, TURN_TIMES } from '../../../src/repository/turns/turns.ts';
import { encodeTurn, turnKey } from '../../../src/repository/turns/turn-record.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { caught } from '../../support/caught.ts';

const ELSEWHERE = { host: 'another.example', pidSpace: 'pid:[1]', pid: 7, startedAt: 'x', token: 'theirs' };
/** What was seen for longer than a tick is taken. */
const AT_ONCE = { ...TURN_TIMES, takeMs: 1 };

let store: ObjectStore;
beforeEach(() => void (store = createMemoryStore()));

const putTheirs = async (renewal: number, over = false): Promise<unknown> =>
  store.put(turnKey(4), encodeTurn({ holder: ELSEWHERE, renewal, over }));

/** The same store, which takes no writes from `go` on. */
function storeThatGoes(): { readonly store: ObjectStore; go(): void } {
  let isAway = false;
  const put: ObjectStore['put'] = async (...args) => {
    if (isAway) throw new Error('away');
    return store.put(...args);
  };
  return { store: { ...store, put }, go: () => void (isAway = true) };
}

test('a turn on another host is taken only when this process has seen no renewal for long enough', async () => {
  const seen: SeenTurns = new Map();
  await putTheirs(1);
  expect(await takeTurn(store, seen, AT_ONCE)).toBeUndefined();
  await putTheirs(2);
  await delay(5);
  // Renewed in between: what was seen before counts for nothing.
  expect(await takeTurn(store, seen, AT_ONCE)).toBeUndefined();
  await delay(5);
  expect(await takeTurn(store, seen, TURN_TIMES)).toBeUndefined();
  // Another process has seen nothing yet.
  expect(await takeTurn(store, new Map(), AT_ONCE)).toBeUndefined();
  const turn = await takeTurn(store, seen, AT_ONCE);
  await turn!.confirm();
  await turn!.end();
  expect(await store.head(turnKey(4))).toBeUndefined();
  expect(await store.head(turnKey(5))).toBeDefined();
});

test('one that is over, or that nobody can read for long enough, is followed by the next', async () => {
  await putTheirs(9, true);
  const first = await takeTurn(store, new Map());
  expect(await takeTurn(store, new Map())).toBeUndefined();
  await first!.end();
  await store.put(turnKey(8), Buffer.from('{'));
  const seen: SeenTurns = new Map();
  expect(await takeTurn(store, seen, AT_ONCE)).toBeUndefined();
  await delay(5);
  const second = await takeTurn(store, seen, AT_ONCE);
  expect(await store.head(turnKey(9))).toBeDefined();
  await second!.end();
});

test('of this process one whose end the store was not told is over all the same', async () => {
  const flaky = storeThatGoes();
  const first = await takeTurn(flaky.store, new Map());
  flaky.go();
  await first!.end();
  const second = await takeTurn(store, new Map());
  expect(second).toBeDefined();
  await second!.end();
});

test('once another one has the turn, nothing that decides is written, and afterwards nothing at all', async () => {
  const turn = (await takeTurn(store, new Map()))!;
  const fenced = fencedStore(store, turn);
  await fenced.put('backups/a/object', Buffer.from('x'));
  await fenced.put('backups/a/manifest.json', Buffer.from('x'));
  await store.put(turnKey(2), encodeTurn({ holder: ELSEWHERE, renewal: 0, over: false }));
  const deciding = [
    () => fenced.put('backups/b/manifest.json', Buffer.from('x')),
    () => fenced.remove('removals/a.json'),
    () => fenced.remove('backups/a/object'),
    () => fenced.put('backups/a/object', Buffer.from('y')),
    () => fenced.removeLeftovers('backups/', 0),
  ];
  for (const change of deciding) expect((await caught(change)).code).toBe('TARGET_TURN_LOST');
  expect(turn.signal.aborted).toBe(true);
  await turn.end();
  const left: string[] = [];
  for await (const { key } of store.list('')) left.push(key);
  expect(left).toEqual(['backups/a/manifest.json', 'backups/a/object', turnKey(1), turnKey(2)]);
});

test('a turn that cannot be renewed ends by itself, before anybody else would take it', async () => {
  const flaky = storeThatGoes();
  const turn = (await takeTurn(flaky.store, new Map(), { renewMs: 10, trustMs: 50, takeMs: 60_000 }))!;
  flaky.go();
  while (!turn.signal.aborted) await delay(10);
  expect((await caught(() => fencedStore(store, turn).remove('backups/x'))).code).toBe('TARGET_TURN_LOST');
  await turn.end();
});
