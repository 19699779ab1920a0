/**
 * Goal: of those that want to decide about a service one does, and the others learn it before they change anything.
 * Method: many take at once in a directory and in memory; older, repeated and damaged records are planted.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthorities, createMandate, type Authorities } from '../../../src/failover/epoch.ts';
import { createLocalStore } from '../../../src/storage/local-store.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { caught } from '../../support/caught.ts';

const SERVICE = 'auth-postgres';
const now = (): Date => new Date('2026-11-30T20:00:00.000Z');
const take = { service: SERVICE, region: 'b', holder: 'run-1', after: 0 };

describe.each(['directory', 'memory'] as const)('the authority over a service in a %s', (kind) => {
  let folder: string;
  let store: ObjectStore;
  let authorities: Authorities;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-epoch-'));
    store = kind === 'memory' ? createMemoryStore() : createLocalStore({ root: folder });
    authorities = createAuthorities({ store, now });
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('is taken by exactly one of sixteen at once, at every epoch', async () => {
    for (const after of [0, 1, 2]) {
      const results = await Promise.allSettled(
        Array.from({ length: 16 }, (_, index) => authorities.take({ ...take, after, holder: `run-${index}` })),
      );
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(winners).toHaveLength(1);
      expect(await authorities.read(SERVICE)).toEqual({ ...winners[0], epoch: after + 1 });
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'FAILOVER_EPOCH_TAKEN' });
      }
    }
  });

  it('is given again to who has it, and refused to who saw an older epoch', async () => {
    expect(await authorities.read(SERVICE)).toBeUndefined();
    const first = await authorities.take(take);
    expect(first).toEqual({ service: SERVICE, epoch: 1, region: 'b', holder: 'run-1', since: now().toISOString() });
    expect(await authorities.take(take)).toEqual(first);
    const second = await authorities.take({ ...take, after: 1, region: 'a', holder: 'run-2' });
    const refused = await caught(() => authorities.take(take));
    expect(refused).toMatchObject({ code: 'FAILOVER_EPOCH_TAKEN', details: { epoch: 1, presentEpoch: 2 } });
    expect(refused.message).toContain('epoch 2, region a, held by run-2');
    expect(await authorities.read(SERVICE)).toEqual(second);
    // An epoch that nobody had cannot be followed by another.
    expect((await caught(() => authorities.take({ ...take, after: 7 }))).code).toBe('FAILOVER_EPOCH_TAKEN');
  });

  it('lets nobody act whose epoch is over, and tells who acts now', async () => {
    const mandate = createMandate(authorities, await authorities.take(take));
    await mandate.require('promote b');
    await authorities.take({ ...take, after: 1, holder: 'run-2' });
    const stale = await caught(() => mandate.require('promote b'));
    expect(stale.code).toBe('FAILOVER_EPOCH_STALE');
    expect(stale.message).toMatch(/^promote b: act for auth-postgres under epoch 1: epoch 2, region b, held by run-2/);
    await store.remove(`failover/${SERVICE}/authority.json`);
    expect((await caught(() => mandate.require('promote b'))).message).toContain('there is none any more');
  });

  it.each([
    ['no JSON', 'epoch 3'],
    ['an epoch of zero', JSON.stringify({ format: 1, ...take, epoch: 0, since: now().toISOString() })],
    ['a record of another service', record({ service: 'other' })],
    ['a field that nobody knows', record({ expires: 1 })],
    ['a giant', ' '.repeat(20_000)],
  ])('is not guessed from %s', async (_, text) => {
    await store.put(`failover/${SERVICE}/authority.json`, Buffer.from(text));
    for (const work of [() => authorities.read(SERVICE), () => authorities.take(take)]) {
      expect((await caught(work)).code).toBe('FAILOVER_EPOCH_DAMAGED');
    }
  });
});

function record(other: Readonly<Record<string, unknown>>): string {
  const good = { format: 1, service: SERVICE, epoch: 3, region: 'a', holder: 'run', since: now().toISOString() };
  return JSON.stringify({ ...good, ...other });
}
