/** Clients that never give up: they write, log what was acknowledged, and connect again when a server has died. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import type { TestPostgres, TestRedis } from '../../support/servers.ts';
import { createWriteLog, type WriteLog, type Written } from './write-log.ts';

export interface Writers {
  readonly log: WriteLog;
  /** Ends after what is in flight. */
  stop(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('../../support/programs/write-key-batches.ts', import.meta.url));
const ACCOUNTS = 100;
export const BALANCE = ACCOUNTS * 1_000;
const RECONNECT_MS = 100;
/** A server that was killed may leave a client without an answer. */
const ANSWER_TIMEOUT_MS = 10_000;

export async function createLedger(postgres: TestPostgres, database: string): Promise<void> {
  await postgres.query(
    `CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
     INSERT INTO accounts SELECT g, 1000 FROM generate_series(1, ${ACCOUNTS}) g;
     CREATE TABLE ledger (writer int, n int, PRIMARY KEY (writer, n));
     CREATE TABLE mirror (writer int, n int)`,
    [],
    database,
  );
}

/** Like pgbench's own: each transaction moves money between two accounts, and leaves a row in two tables. */
export function startLedgerWriters(
  { postgres, database }: { readonly postgres: TestPostgres; readonly database: string },
  load: { readonly clients: number; readonly pauseMs: number; readonly random: () => number },
): Writers {
  const { random } = load;
  return startWriters(load, async (writer, isOver, log) => {
    const client = new Client({
      ...postgres.target,
      database,
      ssl: false,
      query_timeout: ANSWER_TIMEOUT_MS,
      connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      while (!isOver()) {
        const [a, b] = [random(), random()].map((one) => 1 + Math.floor(one * ACCOUNTS)).toSorted((x, y) => x - y);
        const n = nextOf(log, writer);
        const entry = log.send(writer, n);
        await client.query(
          `BEGIN; UPDATE accounts SET balance = balance - 7 WHERE id = ${a}; INSERT INTO ledger VALUES (${writer}, ${n});
           UPDATE accounts SET balance = balance + 7 WHERE id = ${b}; INSERT INTO mirror VALUES (${writer}, ${n}); COMMIT`,
        );
        entry.ackedMs = Date.now();
        await delay(load.pauseMs);
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  });
}

/** Pipelined batches of single writes and transactions (`key-batches.ts`), by a process of its own that nothing else holds up. */
export function startKeyWriters(
  { redis }: { readonly redis: TestRedis },
  { writesPerSecond }: { readonly writesPerSecond: number },
): Writers {
  const log = createWriteLog();
  const child = fork(PROGRAM, [JSON.stringify({ target: redis.target, writesPerSecond })], {
    serialization: 'advanced',
  });
  child.on('message', (written) => log.tell(written as Written));
  const ended = once(child, 'exit');
  return {
    log,
    async stop() {
      if (child.connected) child.send('stop');
      const [code] = (await ended) as [number | null];
      if (code !== 0) throw new Error(`the writer of keys ended with ${code}`);
    },
  };
}

function nextOf({ entries }: WriteLog, writer: number): number {
  return (entries.findLast((entry) => entry.writer === writer)?.n ?? 0) + 1;
}

function startWriters(
  { clients }: { readonly clients: number },
  session: (writer: number, isOver: () => boolean, log: WriteLog) => Promise<void>,
): Writers {
  const log = createWriteLog();
  let over = false;
  const run = async (writer: number): Promise<void> => {
    while (!over) {
      // A killed server ends the session; what it did not answer stays without an acknowledgement.
      await session(writer, () => over, log).catch(() => delay(RECONNECT_MS));
    }
  };
  const running = Array.from({ length: clients }, (_, writer) => run(writer));
  return {
    log,
    async stop() {
      over = true;
      await Promise.all(running);
    },
  };
}
