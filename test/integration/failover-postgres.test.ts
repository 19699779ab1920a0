/**
 * Goal: the roles of two servers change without losing an acknowledged write, or lose exactly what the report says; nothing is promoted
 * twice, and an old primary that comes back takes no writes. Method: real servers with streaming, a writer that keeps
 * what was acknowledged, a standby that is cut off, kill -9, and servers of other clusters.
 */
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { observeFailover } from '../../src/activities/failover/observe-failover.ts';
import type { PostgresChange } from '../../src/domain/failover/failover-plan.ts';
import { estimateLoss } from '../../src/domain/failover/loss.ts';
import { judgePostgresPair } from '../../src/domain/failover/judge-postgres.ts';
import type { PairVerdict } from '../../src/domain/failover/pair-verdict.ts';
import type { PostgresView } from '../../src/domain/failover/postgres-view.ts';
import { formatLsn, lsnOf } from '../../src/domain/lsn.ts';
import { requireReady } from '../../src/domain/failover/require-ready.ts';
import { inspectHost } from '../../src/failover/host/inspect-host.ts';
import { runOnHost } from '../../src/failover/host/run-on-host.ts';
import { createMandate } from '../../src/failover/epoch.ts';
import { awaitCaughtUp } from '../../src/failover/postgres/await-caught-up.ts';
import { fencePrimary, type FencePrimary } from '../../src/failover/postgres/fence-primary.ts';
import { measureLoss } from '../../src/failover/postgres/measure-loss.ts';
import type { PostgresNode } from '../../src/failover/postgres/node.ts';
import { observePostgres } from '../../src/failover/postgres/observe.ts';
import { promote } from '../../src/failover/postgres/promote.ts';
import { proveLine } from '../../src/failover/postgres/prove-line.ts';
import type { Promote } from '../../src/failover/postgres/promotion.ts';
import type { FailoverSite } from '../../src/failover/site.ts';
import { rejoinPrimary, type RejoinPrimary } from '../../src/failover/postgres/rejoin-primary.ts';
import { caught } from '../support/caught.ts';
import { startPostgres } from '../support/servers.ts';
import { startCut } from '../support/tcp-cut.ts';
import { whenAvailable } from '../support/tools.ts';
import { startStandby, until } from './postgres-wal-support/wal-server.ts';
import {
  LIMITS,
  missing,
  NEVER,
  startPair,
  startWriter,
  withStarts,
  type TestPair,
} from './failover-support/postgres-pair.ts';

const OPERATION = { signal: NEVER, onProgress: (): void => undefined };
const SITE = {
  regions: ['a', 'b'],
  redis: new Map(),
  services: { postgres: 'auth', redis: 'unused' },
  limits: LIMITS,
  timeoutMs: 20_000,
} as const;
const suite = await whenAvailable('postgres 18');
suite('a pair of PostgreSQL servers', () => {
  let pair: TestPair;
  beforeEach(async () => void (pair = await startPair()));
  afterEach(async () => pair.stop());

  const judge = async (authorized?: string): Promise<PairVerdict> => {
    const { a, b } = pair.nodes;
    const nodes = [await observePostgres(a, NEVER), await observePostgres(b, NEVER)] as const;
    return judgePostgresPair({ nodes, limits: LIMITS, ...(authorized === undefined ? {} : { authorized }) });
  };
  const fence = (): FencePrimary => ({
    primary: pair.nodes.a,
    systemIdentifier: pair.systemIdentifier,
    mandate: pair.mandate,
    signal: NEVER,
  });
  const back = (forkLsn: string): RejoinPrimary => {
    const { host, port, user } = pair.b.target;
    const { mandate, nodes } = pair;
    return {
      old: nodes.a,
      primary: nodes.b,
      forkLsn,
      timeline: 1,
      source: { host, port, user },
      mandate,
      timeoutMs: 30_000,
    };
  };
  const to = (proof: Promote['proof']): Promote => ({
    standby: pair.nodes.b,
    old: pair.nodes.a,
    proof,
    mandate: pair.mandate,
    timeoutMs: 30_000,
    signal: NEVER,
  });

  it('changes roles under load without losing an acknowledged write, and promotes once however often it is told to', async () => {
    const verdict = await judge();
    expect(verdict).toEqual({ state: 'healthy', primary: 'a', standby: 'b', findings: [], mayBegin: 'graceful' });
    requireReady(verdict, 'graceful');
    // What looks well does not hear: nothing is begun then.
    const line = { primary: pair.nodes.a, standby: pair.nodes.b, signal: NEVER };
    await pair.b.query('select pg_wal_replay_pause()');
    const deaf = await caught(() => proveLine({ ...line, timeoutMs: 300 }));
    expect(deaf).toMatchObject({ code: 'FAILOVER_NOT_READY', details: { lsn: expect.any(String) } });
    await pair.b.query('select pg_wal_replay_resume()');
    expect(lsnOf(await proveLine({ ...line, timeoutMs: 20_000 }))).toBeGreaterThan(lsnOf(String(deaf.details['lsn'])));
    const writers = [0, 1, 2].map((writer) => startWriter([pair.a.target, pair.b.target], writer * 1_000_000));
    await until(() => writers.every(({ acknowledged }) => acknowledged.size > 50), 'all write');
    // Nothing is promoted beside a primary that takes writes, whatever anybody has approved.
    const { systemIdentifier } = pair;
    const approval = { kind: 'approved', by: 'erin', systemIdentifier, timeline: 1, lossBytes: null } as const;
    expect((await caught(() => promote(to(approval)))).code).toBe('FAILOVER_SPLIT_BRAIN');

    const proof = await fencePrimary(fence());
    expect(proof).toMatchObject({ kind: 'clean', node: 'a', timeline: 1 });
    expect(await fencePrimary(fence())).toEqual(proof);
    await awaitCaughtUp({ standby: pair.nodes.b, proof, timeoutMs: 20_000, signal: NEVER });
    const [first, second] = await Promise.all([promote(to(proof)), promote(to(proof))]);
    expect([first, second]).toEqual([first, second].map((one) => ({ ...one, node: 'b', timeline: 2, estimate: null })));
    expect(await promote(to(proof))).toEqual({ ...first, promotedNow: false });
    await awaitCaughtUp({ standby: pair.nodes.b, proof, timeoutMs: 1_000, signal: NEVER });

    const sizes = writers.map(({ acknowledged }) => acknowledged.size);
    await until(
      () => writers.every(({ acknowledged }, index) => acknowledged.size > sizes[index]! + 20),
      'all write again',
    );
    await Promise.all(writers.map(async (writer) => writer.stop()));
    for (const { acknowledged } of writers) expect(await missing(pair.b, acknowledged)).toBe(0);
    const loss = await measureLoss({ old: pair.nodes.a, timeline: 1, forkLsn: first.forkLsn }, OPERATION);
    expect(loss).toMatchObject({ bytes: 0, transactions: 0, seconds: 0, firstCommitAt: null });

    // Back from the dead, by whoever starts it: a standby.
    await pair.a.restart();
    const refused = await pair.a.query('insert into written values (-1)').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: '25006' });
    expect(await judge('b')).toMatchObject({ state: 'degraded', primary: 'b', standby: 'a', mayBegin: 'none' });
    // A late repetition leaves the standby alone.
    expect((await caught(() => fencePrimary(fence()))).code).toBe('FAILOVER_NOT_READY');

    // It had nothing of its own, and follows without a rewind.
    await stopByHost(pair);
    const rejoined = await withStarts(pair, async () => rejoinPrimary(back(first.forkLsn), OPERATION));
    expect(rejoined).toMatchObject({ node: 'a', way: 'followed', loss: { bytes: 0, transactions: 0 } });
    expect(await judge('b')).toEqual({
      state: 'healthy',
      primary: 'b',
      standby: 'a',
      findings: [],
      mayBegin: 'graceful',
    });
  });

  it('loses exactly what the report says when the primary dies with writes that nobody else has', async () => {
    const before = startWriter([pair.a.target]);
    await until(() => before.acknowledged.size > 50, 'it writes');
    await before.stop();
    const last = await cutOff(pair);
    const after = startWriter([pair.a.target], 1_000_000);
    await until(() => after.acknowledged.size > 200, 'it writes what b does not get');
    await after.stop();
    const seen = await observePostgres(pair.nodes.a, NEVER);
    await pair.a.kill();

    const verdict = await judge();
    expect(verdict).toMatchObject({ state: 'primary-lost', primary: null, standby: 'b', mayBegin: 'ungraceful' });
    expect((await caught(() => requireReady(verdict, 'ungraceful'))).details['findings']).toEqual(['lag-unknown']);
    requireReady(verdict, 'ungraceful', ['lag-unknown']);
    const standby = await answering(pair.nodes.b);
    if (!seen.answers) throw new Error(seen.reason);
    const estimate = estimateLoss(standby, seen.lsn);
    expect(estimate.bytes).toBeGreaterThan(0);
    // An approval of less than what is known to be lost is none.
    const approval = { kind: 'approved', by: 'erin', systemIdentifier: pair.systemIdentifier, timeline: 1 } as const;
    const tooLittle = { ...to({ ...approval, lossBytes: 1 }), lastPrimaryLsn: seen.lsn };
    expect((await caught(() => promote(tooLittle))).code).toBe('FAILOVER_FENCE_UNPROVEN');

    const proof = await fencePrimary(fence());
    expect(proof.kind).toBe('crashed');
    const waiting = { standby: pair.nodes.b, proof, timeoutMs: 1_000, signal: NEVER };
    expect((await caught(() => awaitCaughtUp(waiting))).code).toBe('FAILOVER_FENCE_UNPROVEN');
    const done = await promote({ ...to(proof), lastPrimaryLsn: seen.lsn });
    expect(done).toMatchObject({ promotedNow: true, timeline: 2, estimate: { bytes: estimate.bytes } });

    const lost = await missing(pair.b, after.acknowledged);
    expect(await missing(pair.b, before.acknowledged)).toBe(0);
    const loss = await measureLoss({ old: pair.nodes.a, timeline: 1, forkLsn: done.forkLsn }, OPERATION);
    expect(lost).toBe(after.acknowledged.size);
    expect(loss.transactions).toBe(lost);
    expect(loss.bytes).toBe(Number(BigInt(`0x${seen.lsn.split('/')[1]}`) - BigInt(`0x${done.forkLsn.split('/')[1]}`)));
    expect(loss.forkLsn).toBe(last);
    expect(loss.seconds).toBeGreaterThan(0);
    // Another place than the fork, and a server that runs, are not counted.
    const beyond = { old: pair.nodes.a, timeline: 1, forkLsn: 'F/0' };
    expect((await caught(() => measureLoss(beyond, OPERATION))).code).toBe('FAILOVER_LOSS_UNKNOWN');
    const running = { old: pair.nodes.b, timeline: 2, forkLsn: done.forkLsn };
    expect((await caught(() => measureLoss(running, OPERATION))).code).toBe('FAILOVER_NOT_STOPPED');

    await pair.a.restart();
    const refused = await pair.a.query('insert into written values (-1)').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: '25006' });
    // It holds writes that b does not have: nobody makes it follow before they are saved.
    const diverged = await judge('b');
    expect(diverged).toMatchObject({ state: 'rejoin-blocked', primary: 'b', standby: 'a', mayBegin: 'none' });
    expect((await caught(() => requireReady(diverged, 'graceful'))).code).toBe('FAILOVER_REJOIN_BLOCKED');

    await stopByHost(pair);
    const blocked = await caught(() => rejoinPrimary(back(done.forkLsn), OPERATION));
    expect(blocked.code).toBe('FAILOVER_REJOIN_BLOCKED');
    expect(blocked.message).toContain(`${lost} transactions in ${loss.bytes} bytes are on a alone`);
    const tooFew = { ...back(done.forkLsn), givenUpTransactions: lost - 1 };
    expect((await caught(() => rejoinPrimary(tooFew, OPERATION))).code).toBe('FAILOVER_REJOIN_BLOCKED');
    const keptConf = await ownSetting(pair);
    // Made anew from b, as where no rewind is possible; what it had is counted and saved all the same.
    const rejoin = { ...back(done.forkLsn), givenUpTransactions: lost, rebuild: true };
    const rejoined = await withStarts(pair, async () => rejoinPrimary(rejoin, OPERATION));
    expect(rejoined).toEqual({ node: 'a', way: 'rebuilt', loss });
    expect(await rejoinPrimary(rejoin, OPERATION)).toEqual({ node: 'a', way: 'there', loss: null });
    expect(await judge('b')).toMatchObject({ state: 'healthy', primary: 'b', standby: 'a' });
    await keptConf();
    const beside = await readdir(join(pair.a.dataDir, '..'));
    expect(beside).toEqual(expect.arrayContaining(['lifeboat-diverged-e1', 'lifeboat-replaced-e1']));
    await pair.b.query('insert into written values (-2)');
    await until(async () => (await pair.a.query('select 1 from written where id = -2')).rows.length === 1, 'a has it');
    expect(await missing(pair.a, after.acknowledged)).toBe(lost);
  });

  it('is not changed to a standby whose disk is nearly full, that is too far behind, or that is of another cluster', async () => {
    const { nodes, authorities } = pair;
    const site = { ...SITE, authorities, postgres: new Map(Object.entries(nodes)) };
    const wanted = { targetRegion: 'b', mode: 'graceful', holder: 'test' } as const;
    const observe = async (more: Partial<FailoverSite>): Promise<PostgresChange | null> =>
      (await observeFailover({ ...site, ...more }, wanted, NEVER)).postgres;
    const refusal = async (more: Partial<FailoverSite>): Promise<unknown> => {
      const { code, details } = await caught(() => observe(more));
      return [code, details['findings']];
    };
    expect(await observe({})).toMatchObject({ way: 'graceful', approvals: [], notices: [] });
    // As the program of its host sees the disk.
    const full = { limits: { ...LIMITS, minFreeBytes: Number.MAX_SAFE_INTEGER } };
    expect(await refusal(full)).toEqual(['FAILOVER_NOT_READY', ['disk-nearly-full']]);
    const away = { ...nodes.b, host: { command: ['false'], timeoutMs: 60_000 } };
    const asked = await observe({ ...full, postgres: new Map(Object.entries({ ...nodes, b: away })) });
    expect(asked).toMatchObject({
      way: 'graceful',
      notices: [expect.stringContaining('how much room b has is unknown')],
    });

    const other = await startPostgres();
    const copy = await startStandby(other);
    try {
      for (const { target } of [other, copy]) {
        const stranger = new Map(Object.entries({ ...nodes, b: { ...nodes.b, target } }));
        expect(await refusal({ postgres: stranger })).toEqual(['FAILOVER_FOREIGN_STANDBY', ['foreign']]);
      }
    } finally {
      await Promise.all([other.stop(), copy.stop()]);
    }

    await cutOff(pair);
    await pair.a.query('insert into written select generate_series(1, 1000)');
    const strict = { limits: { ...LIMITS, maxLagBytes: 10_000 } };
    expect(await refusal(strict)).toEqual(['FAILOVER_NOT_READY', ['standby-behind', 'not-streaming']]);
    // Nothing was begun: neither was the authority taken nor a server stopped.
    expect((await authorities.read('auth'))?.epoch).toBe(1);
    expect(await judge()).toMatchObject({ primary: 'a', standby: 'b' });
  });

  it('stops by name where both take writes, where the authority is gone, and where a server is of another cluster', async () => {
    // A server that takes connections and says nothing is a silent one, in a bounded time.
    const stalled = await startCut(pair.a.target.port, { after: 0, stall: true });
    const askedAt = performance.now();
    const silence = observePostgres({ name: 'a', target: { ...pair.a.target, port: stalled.port } }, NEVER);
    const silenceMs = silence.then(() => performance.now() - askedAt);

    const other = { ...fence(), systemIdentifier: '1' };
    expect((await caught(() => fencePrimary(other))).code).toBe('FAILOVER_FOREIGN_STANDBY');
    const foreign = { kind: 'crashed', node: 'x', systemIdentifier: '1', timeline: 1, checkpointLsn: '0/0' } as const;
    expect((await caught(() => promote(to(foreign)))).code).toBe('FAILOVER_FOREIGN_STANDBY');
    const view = await answering(pair.nodes.b);
    const stranger = { ...view, systemIdentifier: '1' };
    const nodes = [await observePostgres(pair.nodes.a, NEVER), stranger] as const;
    expect((await caught(() => requireReady(judgePostgresPair({ nodes, limits: LIMITS }), 'graceful'))).code).toBe(
      'FAILOVER_FOREIGN_STANDBY',
    );

    // Somebody else took over: neither stopped nor promoted under the old epoch.
    await pair.authorities.take({ service: 'auth', region: 'a', holder: 'other', after: 1 });
    expect((await caught(() => fencePrimary(fence()))).code).toBe('FAILOVER_EPOCH_STALE');
    const dead = { ...pair.nodes.a, name: 'nobody', target: { ...pair.a.target, port: 1 } };
    const crashed = { ...foreign, systemIdentifier: pair.systemIdentifier };
    expect((await caught(() => promote({ ...to(crashed), old: dead }))).code).toBe('FAILOVER_EPOCH_STALE');
    expect((await judge()).state).toBe('healthy');

    // Promoted by hand behind our back.
    await pair.b.promote();
    const split = await judge();
    expect(split).toMatchObject({ state: 'split-brain', primary: null, standby: null, mayBegin: 'none' });
    expect((await caught(() => requireReady(split, 'ungraceful'))).code).toBe('FAILOVER_SPLIT_BRAIN');
    await pair.a.query('insert into written values (1), (2)');
    await pair.a.kill();
    expect(await judge('a')).toMatchObject({ state: 'usurped', primary: 'b', mayBegin: 'none' });
    expect(await judge('b')).toMatchObject({ state: 'standby-lost', primary: 'b' });

    // A person decides for b. The crashed one is rewound as it is; a rewind that fails leaves it fenced.
    const authority = await pair.authorities.take({ service: 'auth', region: 'b', holder: 'erin', after: 2 });
    const mandate = createMandate(pair.authorities, authority);
    expect((await fencePrimary({ ...fence(), mandate })).kind).toBe('crashed');
    const fork = (await answering(pair.nodes.b)).history?.ancestors[0]?.end ?? 0n;
    const rejoin = { ...back(formatLsn(fork)), mandate, givenUpTransactions: 1 };
    const keptConf = await ownSetting(pair);
    const nowhere = { ...rejoin, source: { ...rejoin.source, port: 1 } };
    const failed = await caught(() => rejoinPrimary(nowhere, OPERATION));
    expect(failed.code).toBe('FAILOVER_COMMAND_FAILED');
    expect(failed.message).toContain('rewind a: exit code 1');
    expect(await inspectHost(pair.nodes.a, NEVER)).toMatchObject({ running: false, fenced: true });
    const rejoined = await withStarts(pair, async () => rejoinPrimary(rejoin, OPERATION));
    expect(rejoined).toMatchObject({ way: 'rewound', loss: { transactions: 1 } });
    expect(await silence).toMatchObject({ node: 'a', answers: false });
    expect(await silenceMs).toBeLessThan(15_000);
    await stalled.close();
    await keptConf();
    expect((await pair.a.query('select 1 from written where id in (1, 2)')).rows).toEqual([]);
    expect((await judge('b')).state).toBe('healthy');
  });
});

async function stopByHost({ nodes }: TestPair): Promise<void> {
  await runOnHost({ doing: 'stop a', host: nodes.a.host, verb: 'stop', signal: NEVER });
}

/** Gives `a` a line of configuration of its own; what is given back checks that it is there still, and what b has is not. */
async function ownSetting({ a }: TestPair): Promise<() => Promise<void>> {
  const path = join(a.dataDir, 'postgresql.conf');
  const before = await readFile(path, 'utf8');
  await appendFile(path, "cluster_name = 'a of its own'\n");
  return async () => expect(await readFile(path, 'utf8')).toBe(`${before}cluster_name = 'a of its own'\n`);
}

/** Ends the stream to `b`, and gives where it ended: what `a` writes from now on is its own. */
async function cutOff({ a, b, cut }: TestPair): Promise<string> {
  const lsn = async (): Promise<string | undefined> =>
    (await b.query<{ lsn: string }>('select pg_last_wal_replay_lsn()::text as lsn')).rows[0]?.lsn;
  const written = (await a.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')).rows[0]?.lsn;
  await until(async () => (await lsn()) === written, 'b has all');
  await cut();
  await until(async () => (await a.query('select 1 from pg_stat_replication')).rows.length === 0, 'b is cut off');
  return (await lsn()) ?? '';
}

async function answering(node: PostgresNode): Promise<PostgresView> {
  const view = await observePostgres(node, NEVER);
  if (!view.answers) throw new Error(view.reason);
  return view;
}
