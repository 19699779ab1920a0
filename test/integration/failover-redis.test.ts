/**
 * Goal: the roles of two Redis servers change without losing an acknowledged write, or lose exactly what the report says; a master that
 * comes back keeps what only it has until that is saved. Method: real servers of 6.2 and 7 with replication, a writer that
 * keeps what was acknowledged, a line that is cut, a replica of another master.
 */
import { rm } from 'node:fs/promises';
import { judgeRedisPair } from '../../src/domain/failover/judge-redis.ts';
import type { PairVerdict } from '../../src/domain/failover/pair-verdict.ts';
import type { RedisView } from '../../src/domain/failover/redis-view.ts';
import { createAuthorities, createMandate, type Authorities, type Mandate } from '../../src/failover/epoch.ts';
import { handOver } from '../../src/failover/redis/hand-over.ts';
import type { RedisNode } from '../../src/failover/redis/node.ts';
import { observeRedis } from '../../src/failover/redis/observe.ts';
import { promoteReplica, type RedisProof } from '../../src/failover/redis/promote-replica.ts';
import { rejoinMaster } from '../../src/failover/redis/rejoin-master.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { caught } from '../support/caught.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { startCut, type Cut } from '../support/tcp-cut.ts';
import { whenAvailable } from '../support/tools.ts';
import { LIMITS, NEVER } from './failover-support/postgres-pair.ts';
import { missingKeys, startRedisWriter } from './failover-support/redis-writer.ts';
import { until } from './postgres-wal-support/wal-server.ts';

const suite = await whenAvailable('redis 7', 'redis 6.2');
suite('a pair of Redis servers', () => {
  describe.each(['7', '6.2'] as const)('of %s', (version) => {
    let a: TestRedis;
    let b: TestRedis;
    let line: Cut;
    let nodes: { readonly a: RedisNode; readonly b: RedisNode };
    let authorities: Authorities;
    let mandate: Mandate;
    beforeEach(async () => {
      [a, b] = await Promise.all([startRedis({ version }), startRedis({ version })]);
      line = await startCut(a.port, { after: Number.POSITIVE_INFINITY });
      nodes = { a: { name: 'a', target: a.target }, b: { name: 'b', target: b.target } };
      await b.cli('REPLICAOF', '127.0.0.1', String(line.port));
      await until(async () => (await judge()).mayBegin === 'graceful', 'b follows');
      authorities = createAuthorities({ store: createMemoryStore(), now: () => new Date() });
      mandate = createMandate(
        authorities,
        await authorities.take({ service: 'auth', region: 'b', holder: 'test', after: 0 }),
      );
    });
    afterEach(async () => {
      await line.close();
      await Promise.all([a.stop(), b.stop()]);
    });
    const act = (): { mandate: Mandate; timeoutMs: number; signal: AbortSignal } => ({
      mandate,
      timeoutMs: 10_000,
      signal: NEVER,
    });
    const judge = async (authorized?: string): Promise<PairVerdict> => {
      const pair = [await observeRedis(nodes.a, NEVER), await observeRedis(nodes.b, NEVER)] as const;
      return judgeRedisPair({ nodes: pair, limits: LIMITS, ...(authorized === undefined ? {} : { authorized }) });
    };

    it('changes roles under load without losing an acknowledged write, once however often it is told to', async () => {
      const verdict = await judge();
      expect(verdict).toMatchObject({ state: 'degraded', primary: 'a', standby: 'b', mayBegin: 'graceful' });
      expect(verdict.findings.map(({ name }) => name)).toEqual(['keeps-nothing']);
      const writer = startRedisWriter([a.target, b.target]);
      await until(() => writer.acknowledged.size > 500, 'it writes');
      const change = await handOver({ ...act(), master: nodes.a, replica: nodes.b });
      expect(change).toMatchObject({ node: 'b', changedNow: true, persisted: true });
      const size = writer.acknowledged.size;
      await until(() => writer.acknowledged.size > size + 100, 'it writes again');
      await writer.stop();
      expect(await missingKeys(b, writer.acknowledged)).toBe(0);
      expect(await handOver({ ...act(), master: nodes.a, replica: nodes.b })).toEqual({ ...change, changedNow: false });
      expect(await judge('b')).toMatchObject({ primary: 'b', standby: 'a', mayBegin: 'graceful' });
      // The old one is a replica, also when it is started again.
      await a.restart();
      expect(await a.cli('SET', 'late', '1').catch(String)).toContain('READONLY');

      // Neither a stale run nor one towards a server that is not the replica changes anything.
      await authorities.take({ service: 'auth', region: 'a', holder: 'other', after: 1 });
      await until(async () => (await judge('b')).mayBegin === 'graceful', 'a follows again');
      expect((await caught(() => handOver({ ...act(), master: nodes.b, replica: nodes.a }))).code).toBe(
        'FAILOVER_EPOCH_STALE',
      );
      expect(await judge('b')).toMatchObject({ primary: 'b', standby: 'a' });

      // A replica that has no place for its data any more is nothing to go back to.
      await rm(a.folder, { recursive: true });
      await a.cli('BGSAVE');
      await until(async () => (await judge('b')).findings.some(({ name }) => name === 'cannot-save'), 'it has failed');
      expect((await judge('b')).mayBegin).toBe('none');
    });

    it('loses exactly what the report says when the line is cut, and discards it only when it was saved', async () => {
      const before = startRedisWriter([a.target]);
      await until(() => before.acknowledged.size > 100, 'it writes');
      await before.stop();
      await until(async () => (await answering(nodes.a)).offset === (await answering(nodes.b)).offset, 'b has all');
      await line.close();
      await until(async () => (await answering(nodes.a)).replicas.length === 0, 'b is cut off');
      const fork = (await answering(nodes.b)).offset;
      const after = startRedisWriter([a.target], 1_000_000);
      await until(() => after.acknowledged.size > 100, 'it writes what b does not get');
      await after.stop();
      const old = await answering(nodes.a);
      const proof: RedisProof = { kind: 'approved', by: 'erin', evidence: 'the line to a is cut', replid: old.replid };
      const request = { ...act(), replica: nodes.b, old: nodes.a, proof };

      // As long as it answers as a master, nothing is promoted beside it.
      const split = await caught(() => promoteReplica(request));
      expect(split.code).toBe('FAILOVER_SPLIT_BRAIN');
      const unreachable = { ...request, old: { name: 'a', target: { host: '127.0.0.1', port: 1 } } };
      const foreign = await caught(() =>
        promoteReplica({ ...unreachable, proof: { ...proof, replid: 'f'.repeat(40) } }),
      );
      expect(foreign.code).toBe('FAILOVER_FOREIGN_STANDBY');
      const unproven = await caught(() => promoteReplica({ ...unreachable, proof: { ...proof, evidence: '' } }));
      expect(unproven.code).toBe('FAILOVER_FENCE_UNPROVEN');
      expect((await answering(nodes.b)).role).toBe('replica');

      const [first, second] = await Promise.all([promoteReplica(unreachable), promoteReplica(unreachable)]);
      expect(second.replid).toBe(first.replid);
      expect(await promoteReplica(unreachable)).toEqual({ ...first, changedNow: false });
      expect(first.forkOffset).toBe(fork);
      expect(await judge()).toMatchObject({ state: 'split-brain', mayBegin: 'none' });
      expect(await missingKeys(b, before.acknowledged)).toBe(0);
      expect(await missingKeys(b, after.acknowledged)).toBe(after.acknowledged.size);

      const back = { ...act(), old: nodes.a, master: nodes.b };
      const blocked = await caught(() => rejoinMaster(back));
      expect(blocked.code).toBe('FAILOVER_REJOIN_BLOCKED');
      const bytes = old.offset - fork;
      expect(blocked.message).toContain(`${bytes} bytes are on a alone`);
      const tooLittle = { ...back, givenUp: { savedAs: 'backup-1', lossBytes: bytes - 1 } };
      expect((await caught(() => rejoinMaster(tooLittle))).code).toBe('FAILOVER_REJOIN_BLOCKED');
      expect(await missingKeys(a, after.acknowledged)).toBe(0);
      const done = await rejoinMaster({ ...back, givenUp: { savedAs: 'backup-1', lossBytes: bytes } });
      expect(done).toEqual({ node: 'a', discardedBytes: bytes, changedNow: true, persisted: true });
      expect(await rejoinMaster(back)).toEqual({ ...done, discardedBytes: 0, changedNow: false });
      expect(await missingKeys(a, after.acknowledged)).toBe(after.acknowledged.size);
      expect(await judge('b')).toMatchObject({ primary: 'b', standby: 'a', mayBegin: 'graceful' });
    });
  });
});

async function answering(node: RedisNode): Promise<RedisView> {
  const view = await observeRedis(node, NEVER);
  if (!view.answers) throw new Error(view.reason);
  return view;
}
