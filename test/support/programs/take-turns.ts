// Run by a test in a process of its own: takes turns at a store. `count N` adds one to an object in each of N turns, reading and writing it
// without a condition; `hold` takes one, says so, and when it is told to go on removes an object and says how that went.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../../../src/domain/errors.ts';
import { fencedStore } from '../../../src/repository/turns/fenced-store.ts';
import type { Turn } from '../../../src/repository/turns/turn.ts';
import { takeTurn, type SeenTurns, TURN_TIMES } from '../../../src/repository/turns/turns.ts';
import { readSmallObject } from '../../../src/repository/small-object.ts';
import { openStore } from '../../../src/storage/open-store.ts';

const [, , url = '', what = '', argument = ''] = process.argv;
const { TEST_S3_KEY: accessKeyId = '', TEST_S3_SECRET: secretAccessKey = '', TEST_TURN_TIMES: times } = process.env;
const store = openStore(url, '.', { credentials: { accessKeyId, secretAccessKey } });
const seen: SeenTurns = new Map();

async function take(): Promise<Turn> {
  for (;;) {
    const turn = await takeTurn(store, seen, times === undefined ? TURN_TIMES : JSON.parse(times));
    if (turn !== undefined) return turn;
    await delay(10);
  }
}

async function addOne(): Promise<void> {
  const turn = await take();
  const fenced = fencedStore(store, turn);
  const before = Number((await readSmallObject(fenced, 'probe/count')) ?? 0);
  await delay(5);
  await fenced.put('probe/count', Buffer.from(String(before + 1)));
  await turn.end();
}

async function holdUntilTold(): Promise<void> {
  const turn = await take();
  process.stdout.write('held\n');
  await once(process.stdin, 'data');
  const said = await fencedStore(store, turn)
    .remove(argument)
    .then(
      () => 'removed',
      (error: unknown) => (error instanceof LifeboatError ? error.code : String(error)),
    );
  process.stdout.write(`${said}\n`);
  process.exit(0);
}

if (what === 'hold') await holdUntilTold();
else for (let left = Number(argument); left > 0; left -= 1) await addOne();
