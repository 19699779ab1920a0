/**
 * Goal: whatever is killed while the journals run, every instant of the recovery window comes back as it was, and no acknowledged
 * write from before the last durable position is lost.
 * Method: writers with a log of what was acknowledged when; kills -9 at random moments; copies of ten random instants are held
 * against the log and against the server's own commit times, and two go through the whole product.
 * The seed is printed on failure; TEST_SEED repeats it.
 */
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readRecoveryCatalog } from '../../src/recovery/read-catalog.ts';
import { lsnOf } from '../../src/domain/lsn.ts';
import { isWithin, type RecoveryWindow } from '../../src/domain/recovery-window.ts';
import { planWalReplay } from '../../src/domain/wal-replay.ts';
import { runChild } from '../../src/platform/child-process.ts';
import { assembleWal } from '../../src/postgres/wal/files/assemble-wal.ts';
import { collectBytes } from '../support/collect.ts';
import { fingerprintPostgres, type Fingerprint } from '../support/product/fingerprint-postgres.ts';
import { fingerprintRedis } from '../support/product/fingerprint-redis.ts';
import { openRedis } from '../support/product/redis-client.ts';
import { until } from '../support/product/mid-stream.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import { openCopies, type Copies } from './journal-support/copies.ts';
import { createRandom, shuffled } from './journal-support/random.ts';
import { WRITES_PER_BATCH, type WriterKeys } from './journal-support/key-batches.ts';
import {
  journalsFollow,
  readKeys,
  readLedger,
  untilDurable,
  wrongKeys,
  type KeyState,
} from './journal-support/states.ts';
import { lossMs, nameOf, wrongAt } from './journal-support/write-log.ts';
import { BALANCE, createLedger, startKeyWriters, startLedgerWriters, type Writers } from './journal-support/writers.ts';

const describeFire = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const SEED = Number(process.env['TEST_SEED'] ?? randomInt(1, 2 ** 31));
const INSTANTS = 10;
const FLUSH_MS = 1_000;
/** Between two kills: long enough that the journals are up again in between most times, and not always. */
const KILL_EVERY_MS = { least: 8_000, spread: 14_000 };
const VICTIMS = ['worker', 'links', 'postgres', 'redis', 'worker', 'links', 'postgres'] as const;
const LOAD_MS = 120_000;
/** Of Redis, over the whole time: what a killed server could not take is made up for. */
const WRITES_PER_SECOND = { tried: 5_500, least: 5_000 };
/** The stream of Redis carries no times: an instant is found by when a piece was received, on a machine with much to do. */
const RECEIVED_WITHIN_MS = 2_000;
/** A server takes its commit time a moment before others may see the commit. */
const COMMIT_SKEW_MS = 500;
const JOURNALS_BACK_WITHIN_MS = 60_000;

const operation = { signal: new AbortController().signal, onProgress: () => undefined };

describeFire(`journals under fire, seed ${SEED}`, () => {
  const random = createRandom(SEED);
  let product: Product;
  let copies: Copies;
  let ledger: Writers;
  let keys: Writers;
  let window: RecoveryWindow;
  let [fromMs, toMs] = [0, 0];
  const kills: { readonly victim: string; readonly atMs: number; backMs: number }[] = [];
  /** From the server itself: when which row was committed. */
  let commits: Map<string, number>;
  let instants: number[];
  /** Everything that nobody writes to. */
  let seeded: { readonly postgres: Fingerprint; readonly redis: Fingerprint };
  const told = (): object => ({ seed: SEED, kills: kills.map((kill) => ({ ...kill, atMs: kill.atMs - fromMs })) });

  const kill: Readonly<Record<(typeof VICTIMS)[number], () => Promise<void>>> = {
    worker: async () => product.worker.kill(),
    async links() {
      await product.postgres.query('SELECT pg_terminate_backend(pid) FROM pg_stat_replication');
      await product.redis.cli('client', 'kill', 'type', 'replica');
    },
    async postgres() {
      await product.postgres.kill();
      await product.postgres.restart();
    },
    async redis() {
      await product.redis.kill();
      await product.redis.restart();
    },
  };

  beforeAll(async () => {
    product = await startProduct({
      redisVersion: '7',
      encrypted: true,
      config: { journal: { enabled: true, flushSeconds: FLUSH_MS / 1_000 } },
    });
    product.worker.supervise();
    // All WAL stays, so that it can be compared; commit times are the second oracle.
    const keepAll = { wal_keep_size: '4GB', max_wal_size: '4GB', track_commit_timestamp: 'on' };
    await product.postgres.restart(keepAll);
    for (const [name, value] of [
      ['appendonly', 'yes'],
      ['repl-backlog-size', '64mb'],
    ] as const) {
      await product.redis.cli('config', 'set', name, value);
    }
    await product.redis.cli('config', 'rewrite');
    await createLedger(product.postgres, product.database);
    copies = openCopies(product);
    await until('the journals follow', async () => journalsFollow(product), JOURNALS_BACK_WITHIN_MS);
    await product.succeed('backup', 'full');

    seeded = {
      postgres: untouched(await fingerprintPostgres(product.postgres, product.database)),
      redis: untouched(await fingerprintRedis(product.redis)),
    };
    fromMs = Date.now();
    ledger = startLedgerWriters(product, { clients: 8, pauseMs: 10, random });
    keys = startKeyWriters(product, { writesPerSecond: WRITES_PER_SECOND.tried });
    for (const victim of shuffled(VICTIMS, random)) {
      await delay(KILL_EVERY_MS.least + random() * KILL_EVERY_MS.spread);
      const one = { victim, atMs: Date.now(), backMs: Number.POSITIVE_INFINITY };
      kills.push(one);
      await kill[victim]();
      void until(
        'the journals follow again',
        async () => journalsFollow(product),
        LOAD_MS + JOURNALS_BACK_WITHIN_MS,
      ).then(
        () => (one.backMs = Date.now()),
        () => undefined,
      );
    }
    await until('the journals follow', async () => journalsFollow(product), JOURNALS_BACK_WITHIN_MS);
    await delay(Math.max(3 * FLUSH_MS, fromMs + LOAD_MS - Date.now()));
    await Promise.all([ledger.stop(), keys.stop()]);
    toMs = Date.now();
    await product.reconnect();
    await untilDurable(product);
    window = await copies.window();
    commits = await readCommits(product);
    instants = Array.from({ length: INSTANTS }, () => Math.round(fromMs + random() * (toMs - fromMs)));
    process.stderr.write(
      `${JSON.stringify({ ...told(), written: [ledger, keys].map(({ log }) => log.entries.length) })}\n`,
    );
  }, 420_000);
  afterAll(async () => product?.stop());

  test('the writers wrote, and everything was killed', () => {
    expect(new Set(kills.map(({ victim }) => victim))).toEqual(new Set(VICTIMS));
    expect(ledger.log.entries.filter(({ ackedMs }) => ackedMs !== undefined).length).toBeGreaterThan(1_000);
    const batches = keys.log.entries.filter(({ ackedMs }) => ackedMs !== undefined).length;
    const perSecond = Math.round((1_000 * batches * WRITES_PER_BATCH) / (toMs - fromMs));
    process.stderr.write(`redis: ${perSecond} acknowledged writes a second for ${toMs - fromMs} ms\n`);
    expect(perSecond).toBeGreaterThanOrEqual(WRITES_PER_SECOND.least);
  });

  test('the oracle sees one write too many, one too few and one of nobody', () => {
    const acked = ledger.log.entries.filter(({ ackedMs }) => ackedMs !== undefined);
    const middle = acked[Math.floor(acked.length / 2)]!;
    const atMs = middle.ackedMs! + 1;
    const right = acked.filter(({ ackedMs }) => ackedMs! < atMs).map(nameOf);
    const late = ledger.log.entries.find(({ sentMs }) => sentMs > atMs)!;
    const wrong = (names: readonly string[]): string[] =>
      wrongAt(ledger.log, new Set(names), { atMs, requiredMs: atMs });
    expect(wrong(right)).toEqual([]);
    expect(wrong(right.filter((name) => name !== nameOf(middle)))).toEqual([expect.stringContaining('missing')]);
    expect(wrong([...right, nameOf(late)])).toEqual([expect.stringContaining('later')]);
    expect(wrong([...right, '99/1'])).toEqual([expect.stringContaining('never')]);
  });

  test('the oracle sees a single command that is missing', async () => {
    const { keys: live } = await readLive(product);
    const at = { atMs: toMs, requiredMs: toMs };
    const [first, ...others] = live.writers;
    const wrong = (one: Partial<WriterKeys>): string[] =>
      wrongKeys(keys.log, { ...live, writers: [{ ...first!, ...one }, ...others] }, at);
    expect(wrong({})).toEqual([]);
    // Of a batch that a kill cut off, any beginning may be there: as much may be missing before it is seen.
    const open = keys.log.entries.filter(({ writer, ackedMs }) => writer === 0 && ackedMs === undefined).length;
    expect(wrong({ counter: first!.counter - 1 - open * WRITES_PER_BATCH })).toEqual([
      expect.stringContaining('count:0'),
    ]);
    expect(wrong({ values: first!.values.with(7, '1') })).toEqual([expect.stringContaining('key:0:7 is of 0/1')]);
    expect(wrong({ values: first!.values.with(7, null) })).toEqual([expect.stringContaining('key:0:7')]);
  });

  test('the WAL that is stored is that of the server, byte for byte, without a hole', async () => {
    const catalog = await readRecoveryCatalog(await copies.deps.repository(), ['postgres'], operation);
    const base = catalog.backups.find(({ components }) => components.postgres?.base !== undefined)?.components.postgres
      ?.base;
    const plan = planWalReplay(catalog.postgres, { base: base!, target: 'end', histories: catalog.histories });
    if (!plan.found) throw new Error(`${plan.code}: ${plan.message}`);
    const { journals } = await copies.deps.repository();
    const wrong: string[] = [];
    let bytes = 0;
    for (const file of assembleWal(plan, ({ epoch, entry }) => journals.read(epoch, entry, operation))) {
      const ours = await collectBytes(file.read());
      const theirs = await readFile(join(product.postgres.dataDir, 'pg_wal', file.name));
      const isLast = endsIn(plan.reach.at, file.name, plan.segmentBytes);
      const length = isLast ? Number(lsnOf(plan.reach.at) % BigInt(plan.segmentBytes)) : ours.length;
      bytes += length;
      if (!theirs.subarray(0, length).equals(ours.subarray(0, length))) wrong.push(file.name);
    }
    expect({ ...told(), wrong }).toEqual({ ...told(), wrong: [] });
    expect(bytes).toBeGreaterThan(plan.segmentBytes / 2);
  });

  test.each(Array.from({ length: INSTANTS }, (_, index) => index))('PostgreSQL at random instant %i', async (index) => {
    const atMs = instants[index]!;
    expect({ ...told(), isWithin: isWithin(window.postgres!.spans, atMs) }).toMatchObject({ isWithin: true });
    await copies.postgresAt(atMs, async (session, target) => {
      const state = await readLedger(session);
      const story = { ...told(), atMs: atMs - fromMs };
      expect({ ...story, balance: state.balance, mirror: state.unmirrored }).toEqual({
        ...story,
        balance: BALANCE,
        mirror: 0,
      });
      expect({ ...story, wrong: wrongAt(ledger.log, state.found, { atMs, requiredMs: atMs }) }).toEqual({
        ...story,
        wrong: [],
      });
      expect({ ...story, wrong: wrongByCommits(commits, state.found, atMs) }).toEqual({ ...story, wrong: [] });
      const found = untouched(await fingerprintPostgres({ target }, product.database));
      expect({ ...story, found }).toEqual({ ...story, found: seeded.postgres });
      await amcheck(product, target);
    });
  });

  test.each(Array.from({ length: INSTANTS }, (_, index) => index))('Redis at random instant %i', async (index) => {
    const { spans } = window.redis!;
    const wanted = instants[index]!;
    // Between the death of the server and the next snapshot nothing can be had: the nearest before it is taken.
    const atMs = isWithin(spans, wanted) ? wanted : Math.floor(spans.findLast((span) => span.toMs < wanted)!.toMs);
    await copies.redisAt(atMs, async (redis, target) => {
      const state = await readKeys(redis);
      const story = { ...told(), atMs: atMs - fromMs, wanted: wanted - fromMs };
      const requiredMs = receivedBy(kills, atMs);
      expect({ ...story, wrong: wrongKeys(keys.log, state, { atMs, requiredMs }) }).toEqual({ ...story, wrong: [] });
      const found = untouched(await fingerprintRedis({ target }));
      expect({ ...story, found }).toEqual({ ...story, found: seeded.redis });
      process.stderr.write(`redis at ${atMs - fromMs} ms: lags ${lossMs(keys.log, state.found, atMs)} ms\n`);
    });
  });

  test('Redis loses at its death what was not durable, which is said, and no more', async () => {
    const deaths = kills.filter(({ victim }) => victim === 'redis');
    for (const { atMs } of deaths) {
      const before = window.redis!.spans.findLast((span) => span.fromMs < atMs)!;
      const story = { ...told(), lostMs: Math.max(0, atMs - before.toMs) };
      process.stderr.write(`redis killed: window ends ${atMs - before.toMs} ms before its death\n`);
      // A journal that was down itself when the server died had received what was written until then.
      const others = kills.filter((kill) => kill.victim === 'worker' || kill.victim === 'links');
      const isBounded = receivedBy(others, atMs) - before.toMs <= FLUSH_MS;
      expect({ ...story, isBounded }).toEqual({ ...story, isBounded: true });
      expect(
        window.gaps.some(
          ({ component, fromMs: gapMs }) => component === 'redis' && Math.abs(gapMs - before.toMs) < 5_000,
        ),
      ).toBe(true);
    }
    expect(deaths.length).toBeGreaterThan(0);
  });

  test('through the whole product: a random instant, then the end with everything in it', async () => {
    const live = await product.fingerprint();
    const atMs = instants.find((instant) => isWithin(window.spans, instant))!;
    await product.succeed('restore', 'latest', '--to-time', new Date(atMs).toISOString(), '--drop-existing');
    const found = await readLive(product);
    const story = { ...told(), atMs: atMs - fromMs };
    expect({ ...story, wrong: wrongAt(ledger.log, found.rows, { atMs, requiredMs: atMs }) }).toEqual({
      ...story,
      wrong: [],
    });
    const requiredMs = receivedBy(kills, atMs);
    expect({ ...story, wrong: wrongKeys(keys.log, found.keys, { atMs, requiredMs }) }).toEqual({ ...story, wrong: [] });

    const end = new Date(Math.floor(window.toMs!)).toISOString();
    await product.succeed('restore', 'latest', '--to-time', end, '--drop-existing');
    expect(await product.fingerprint()).toEqual(live);
  });
});

async function readCommits(product: Product): Promise<Map<string, number>> {
  const { rows } = await product.postgres.query<{ name: string; ms: number }>(
    `SELECT writer || '/' || n AS name, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 AS ms FROM ledger`,
    [],
    product.database,
  );
  return new Map(rows.map(({ name, ms }) => [name, ms]));
}

/** Without the content of what the writers write: the log tells that. */
function untouched(all: Fingerprint): Fingerprint {
  const written = /^(rows public\.(accounts|ledger|mirror)|key 0 (log|pair:[ab]|count|key):[\d:]+)$/;
  return Object.fromEntries(Object.entries(all).filter(([name]) => !written.test(name)));
}

/** By the server's own times: nothing later than the instant, and all that is clearly earlier. */
function wrongByCommits(commits: ReadonlyMap<string, number>, found: ReadonlySet<string>, atMs: number): string[] {
  return [...commits].flatMap(([name, ms]) => {
    // A time in milliseconds stands for its first microsecond.
    if (found.has(name) && ms > atMs) return [`${name} is there, committed ${ms - atMs} ms later`];
    if (!found.has(name) && ms < atMs - COMMIT_SKEW_MS) return [`${name} is missing, committed ${atMs - ms} ms before`];
    return [];
  });
}

async function readLive(product: Product): Promise<{ readonly rows: ReadonlySet<string>; readonly keys: KeyState }> {
  const sql = "SELECT writer || '/' || n AS name FROM ledger";
  const { rows } = await product.postgres.query<{ name: string }>(sql, [], product.database);
  const redis = await openRedis(product.redis.target);
  try {
    return { rows: new Set(rows.map(({ name }) => name)), keys: await readKeys(redis) };
  } finally {
    redis.disconnect();
  }
}

/** What was acknowledged before this had been received by the journal at the instant: it cannot receive while it is down. */
function receivedBy(kills: readonly { readonly atMs: number; readonly backMs: number }[], atMs: number): number {
  const down = kills.filter((kill) => kill.atMs <= atMs && atMs <= kill.backMs + RECEIVED_WITHIN_MS);
  return Math.min(atMs, ...down.map((kill) => kill.atMs)) - RECEIVED_WITHIN_MS;
}

function endsIn(lsn: string, name: string, segmentBytes: number): boolean {
  const segment = lsnOf(lsn) / BigInt(segmentBytes);
  const perId = 2n ** 32n / BigInt(segmentBytes);
  const hex = (value: bigint): string => value.toString(16).toUpperCase().padStart(8, '0');
  return name.endsWith(`${hex(segment / perId)}${hex(segment % perId)}`);
}

async function amcheck(
  product: Product,
  {
    host,
    port,
    user,
    database,
  }: { readonly host: string; readonly port: number; readonly user: string; readonly database: string },
): Promise<void> {
  const command = join(product.postgres.binDir, 'pg_amcheck');
  const { stdout, exit } = await runChild({
    name: 'pg_amcheck',
    command,
    args: ['--heapallindexed', '--install-missing', '-h', host, '-p', String(port), '-U', user, '-d', database],
    env: { LD_LIBRARY_PATH: join(product.postgres.binDir, '..', 'lib') },
    signal: operation.signal,
  });
  expect({ code: exit.code, stdout, stderr: exit.stderrTail }).toEqual({ code: 0, stdout: '', stderr: '' });
}
