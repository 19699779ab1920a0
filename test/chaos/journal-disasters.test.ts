/**
 * Goal: the loss of a host costs no more than the flush interval and two seconds; a store that is away blocks no server and makes no
 * hole.
 * Method: writers with a log of what was acknowledged; the store is taken away and given back under load, then both servers are
 * killed and their data removed; copies of the last instant that can be had are held against the log.
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { compareLsn } from '../../src/domain/lsn.ts';
import { isWithin, type RecoveryWindow } from '../../src/domain/recovery-window.ts';
import { until } from '../support/product/mid-stream.ts';
import { startProduct, type CliResult, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import { openCopies, type Copies } from './journal-support/copies.ts';
import { createRandom } from './journal-support/random.ts';
import { journalsFollow, readKeys, readLedger, wrongKeys } from './journal-support/states.ts';
import { lossMs, wrongAt, type WriteLog } from './journal-support/write-log.ts';
import { BALANCE, createLedger, startKeyWriters, startLedgerWriters, type Writers } from './journal-support/writers.ts';

const describeDisasters = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const FLUSH_MS = 1_000;
const LOSS_MAX_MS = FLUSH_MS + 2_000;
const AWAY_MS = 60_000;
/** What `journal status` says meanwhile: an answer that all is well, from a store that lists as an empty one, would be a lie. */
const AWAY = { exit: 5, code: 'REPOSITORY_MISSING' };
/** A journal is in alarm when nothing new is durable for 45 s. */
const ALARM_WITHIN_MS = 75_000;

/** What was under way when the store went may still be confirmed. */
const IN_FLIGHT_MS = 2_000;
/** On a machine with much else to do; a server that waits for its journal would not answer at all. */
const ANSWER_MAX_MS = 3_000;
const CAUGHT_UP_WITHIN_MS = 60_000;
const LOAD_MS = 6_000;

describeDisasters('journals', () => {
  let product: Product;
  let copies: Copies;
  let writers: { readonly ledger: Writers; readonly keys: Writers };

  beforeAll(async () => {
    const random = createRandom(1);
    product = await startProduct({
      redisVersion: '7',
      config: { journal: { enabled: true, flushSeconds: FLUSH_MS / 1_000 } },
    });
    await createLedger(product.postgres, product.database);
    copies = openCopies(product);
    await until('the journals follow', async () => journalsFollow(product));
    await product.succeed('backup', 'full');
    writers = {
      ledger: startLedgerWriters(product, { clients: 8, pauseMs: 20, random }),
      keys: startKeyWriters(product, { writesPerSecond: 5_000 }),
    };
    await delay(LOAD_MS);
  });
  afterAll(async () => {
    await Promise.all([writers?.ledger.stop(), writers?.keys.stop()]);
    await product?.stop();
  });

  test(`a store that is away for ${AWAY_MS / 1_000} s: nothing is confirmed, no server waits, and no hole is left`, async () => {
    const away = `${product.store}.away`;
    const awayMs = Date.now();
    await rename(product.store, away);
    await delay(IN_FLIGHT_MS);
    const confirmed = await confirmedLsn(product);
    const walBefore = await currentLsn(product);
    await delay(AWAY_MS - IN_FLIGHT_MS);
    const made = existsSync(product.store);
    const status = await product.cli(['journal', 'status']);
    const during = { confirmed: await confirmedLsn(product), wal: await currentLsn(product) };
    const backMs = Date.now();
    await rename(away, product.store);

    expect(made).toBe(false);
    expect({ exit: status.exit, code: status.json['error']?.code }).toEqual(AWAY);
    expect(during.confirmed).toBe(confirmed);
    expect(compareLsn(during.wal, walBefore)).toBeGreaterThan(0);
    for (const { log } of Object.values(writers)) {
      const answers = answersWithin(log, awayMs, backMs);
      expect(answers.count).toBeGreaterThan(50);
      expect(answers.slowestMs).toBeLessThan(ANSWER_MAX_MS);
    }
    await until('the journals caught up', async () => reaches(copies, backMs), CAUGHT_UP_WITHIN_MS).catch(
      async (error) => {
        throw new Error(JSON.stringify({ backMs, window: await copies.window() }), { cause: error });
      },
    );
    process.stderr.write(`store away for ${backMs - awayMs} ms; caught up ${Date.now() - backMs} ms after\n`);
    const window = await copies.window();
    const atMs = Math.round((awayMs + backMs) / 2);
    expect(describeSpans(window, awayMs, backMs)).toEqual({ postgres: true, redis: true });
    const rows = await copies.postgresAt(atMs, readLedger);
    expect(wrongAt(writers.ledger.log, rows.found, { atMs, requiredMs: atMs })).toEqual([]);
    const keys = await copies.redisAt(atMs, readKeys);
    expect(wrongKeys(writers.keys.log, keys, { atMs, requiredMs: atMs - 1_000 })).toEqual([]);
  }, 180_000);

  test(`both hosts are lost with all their data: at most ${LOSS_MAX_MS / 1_000} s of it cannot be had`, async () => {
    await delay(LOAD_MS);
    await Promise.all([product.postgres.kill(), product.redis.kill()]);
    const lostMs = Date.now();
    await Promise.all([
      rm(product.postgres.dataDir, { recursive: true }),
      rm(product.redis.folder, { recursive: true }),
    ]);
    const window = await settledWindow(copies);

    const rows = await copies.postgresAt(Math.floor(window.postgres!.spans.at(-1)!.toMs), readLedger);
    const keys = await copies.redisAt(Math.floor(window.redis!.spans.at(-1)!.toMs), readKeys);
    const loss = {
      postgres: lossMs(writers.ledger.log, rows.found, lostMs),
      redis: lossMs(writers.keys.log, keys.found, lostMs),
    };
    process.stderr.write(`hosts lost: ${JSON.stringify(loss)} ms of acknowledged writes (flush ${FLUSH_MS} ms)\n`);
    expect(loss.postgres).toBeLessThanOrEqual(LOSS_MAX_MS);
    expect(loss.redis).toBeLessThanOrEqual(LOSS_MAX_MS);
    expect({ balance: rows.balance, unmirrored: rows.unmirrored, odd: keys.odd }).toEqual({
      balance: BALANCE,
      unmirrored: 0,
      odd: [],
    });
    for (const [log, { found }] of [
      [writers.ledger.log, rows],
      [writers.keys.log, keys],
    ] as const) {
      expect(wrongAt(log, found, { atMs: lostMs, requiredMs: lostMs - LOSS_MAX_MS })).toEqual([]);
      expect(found.size).toBeGreaterThan(100);
    }

    // Nobody writes any more; that, too, is said.
    let state: CliResult | undefined;
    const isAlarm = async (): Promise<boolean> => {
      state = await product.cli(['journal', 'status']);
      return state.exit === 3 && state.json['error'].details.journals.length === 2;
    };
    await until('both journals are in alarm', isAlarm, Math.max(1, lostMs + ALARM_WITHIN_MS - Date.now())).catch(
      (error) => {
        throw new Error(state?.stdout, { cause: error });
      },
    );
    for (const { state: word, lagSeconds } of state!.json['journals']) {
      expect({ word, isLate: lagSeconds > 45 }).toEqual({ word: 'alarm', isLate: true });
    }
  }, 240_000);
});

async function confirmedLsn(product: Product): Promise<string> {
  const sql = 'SELECT restart_lsn::text AS lsn FROM pg_replication_slots';
  return (await product.postgres.query<{ lsn: string }>(sql)).rows[0]!.lsn;
}

async function currentLsn(product: Product): Promise<string> {
  return (await product.postgres.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn')).rows[0]!.lsn;
}

/** Between two moments: how many were acknowledged, and how long the slowest of them took. */
function answersWithin({ entries }: WriteLog, fromMs: number, toMs: number): { count: number; slowestMs: number } {
  const within = entries.filter(({ sentMs }) => fromMs < sentMs && sentMs < toMs - ANSWER_MAX_MS);
  const slowestMs = within.reduce(
    (most, { sentMs, ackedMs = Number.POSITIVE_INFINITY }) => Math.max(most, ackedMs - sentMs),
    0,
  );
  return { count: within.length, slowestMs };
}

async function reaches(copies: Copies, atMs: number): Promise<boolean> {
  const { postgres, redis } = await copies.window();
  return isWithin(postgres!.spans, atMs) && isWithin(redis!.spans, atMs);
}

/** Is one span of each from before to after? */
function describeSpans(
  { postgres, redis }: RecoveryWindow,
  fromMs: number,
  toMs: number,
): { postgres: boolean; redis: boolean } {
  const covers = (spans: RecoveryWindow['spans']): boolean =>
    spans.some((span) => span.fromMs <= fromMs && toMs <= span.toMs);
  return { postgres: covers(postgres!.spans), redis: covers(redis!.spans) };
}

/** What the journals had received is stored within a flush. */
async function settledWindow(copies: Copies): Promise<RecoveryWindow> {
  await delay(3 * FLUSH_MS);
  return copies.window();
}
