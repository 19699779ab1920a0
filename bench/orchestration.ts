/**
 * What orchestration adds: a backup of an empty database and an empty Redis through the whole product, beside the tools that
 * the data path cannot do without.
 *
 *   node bench/orchestration.ts [--runs 7]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runChild } from '../src/platform/child-process.ts';
import { startProduct, type Product } from '../test/support/product.ts';
import { report, round, timed } from './measure.ts';

const BOUND_SECONDS = 1;
const { signal } = new AbortController();

const { values } = parseArgs({ options: { runs: { type: 'string', default: '7' } } });
const product = await startProduct({
  seed: 'none',
  encrypted: true,
  redisVersion: '7',
  // The tools beside it take no base.
  config: { postgres: { physical: false } },
});
try {
  await product.redis.cli('config', 'set', 'repl-diskless-sync-delay', '0');
  await product.postgres.query(`create database ${product.database}`);
  await product.manager.performFullBackup();
  const whole: number[] = [];
  const tools: number[] = [];
  for (let run = 0; run < Number(values.runs); run += 1) {
    tools.push((await timed(() => runTools(product))).seconds);
    whole.push((await timed(() => product.manager.performFullBackup())).seconds);
  }
  const [backupSeconds, toolSeconds] = [median(whole), median(tools)];
  const addedSeconds = round(backupSeconds - toolSeconds);
  report({
    measure: 'empty backup, median',
    seconds: backupSeconds,
    toolSeconds,
    addedSeconds,
    boundSeconds: BOUND_SECONDS,
    runs: whole.length,
    withinBounds: addedSeconds <= BOUND_SECONDS,
  });
} finally {
  await product.stop();
}

/** pg_dump of definitions and of data and pg_dumpall of the globals, each on its own as the product runs them. */
async function runTools({ postgres, database }: Product): Promise<void> {
  const { target, binDir, tools } = postgres;
  const { host, port, user, password = '' } = target;
  const env = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    LD_LIBRARY_PATH: join(binDir, '..', 'lib'),
  };
  const commands: readonly (readonly [string, readonly string[]])[] = [
    [tools.pgDump, ['-Fc', '--section=pre-data', '--section=post-data', database]],
    [tools.pgDump, ['-Fc', '--section=data', database]],
    [tools.pgDumpall, ['--globals-only']],
  ];
  await Promise.all(commands.map(async ([command, args]) => runChild({ name: command, command, args, env, signal })));
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
