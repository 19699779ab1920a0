import type { Check } from '../../domain/backup.ts';
import type { DrillCheck } from '../../domain/drill/drill.ts';
import { describeExpectation, meetExpectation } from '../../domain/drill/expectation.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { runChild } from '../../platform/child-process.ts';
import { askOneValue } from '../../postgres/scratch/ask-one-value.ts';
import type { PostgresTarget } from '../../postgres/postgres.ts';
import type { RedisTarget } from '../../redis/redis.ts';

/** Servers that came back; undefined where one did not, or is not part of the drill. */
export interface Rehearsed {
  readonly postgres: PostgresTarget | undefined;
  readonly redis: RedisTarget | undefined;
}

/** A check may take its whole time without a word; that it runs is what is told. */
const PULSE_MS = 5_000;

/**
 * Runs one check of the configuration. A statement that fails, a program that ends with another code than 0, and one that takes too long are failed
 * checks. Null: it needs a server that is not there.
 */
export async function runUserCheck(check: DrillCheck, servers: Rehearsed, operation: Operation): Promise<Check | null> {
  if ('sql' in check && servers.postgres === undefined) return null;
  if (servers.postgres === undefined && servers.redis === undefined) return null;
  const startedAt = Date.now();
  const tell = (): void =>
    operation.onProgress({ phase: 'checking', object: check.name, bytes: 0, items: Date.now() - startedAt });
  tell();
  const pulse = setInterval(tell, PULSE_MS);
  const signal = AbortSignal.any([operation.signal, AbortSignal.timeout(check.timeoutMs)]);
  try {
    return 'sql' in check
      ? meetExpectation(check.name, check, await askSql(check, servers, signal))
      : await runCommand(check, servers, signal);
  } catch (error) {
    operation.signal.throwIfAborted();
    return failed(check, describeTrouble(error, check));
  } finally {
    clearInterval(pulse);
  }
}

async function askSql(
  { sql }: { readonly sql: string },
  { postgres }: Rehearsed,
  signal: AbortSignal,
): Promise<string> {
  if (postgres === undefined) throw new LifeboatError('INTERNAL', 'a check without a database');
  return askOneValue(postgres, sql, signal);
}

async function runCommand(
  check: DrillCheck & { readonly command: readonly string[] },
  servers: Rehearsed,
  signal: AbortSignal,
): Promise<Check> {
  const [command = '', ...args] = check.command;
  const { stdout, exit } = await runChild({ name: command, command, args, env: whereabouts(servers), signal });
  if (exit.code !== 0) {
    const what = `it ended with ${exit.code ?? exit.signal}`;
    return failed(check, exit.stderrTail === '' ? what : `${what}: ${lastLine(exit.stderrTail)}`);
  }
  const { expected, min, max } = check;
  if (expected === undefined && min === undefined && max === undefined) {
    return { name: check.name, status: 'pass', expected: 'exit code 0', actual: 'exit code 0', message: '' };
  }
  return meetExpectation(check.name, check, stdout.trim());
}

/** Where the scratch servers are: names that psql and redis-cli take by themselves, and the same in one line. Nothing of it is in an argument. */
function whereabouts({ postgres, redis }: Rehearsed): Record<string, string> {
  return {
    ...(postgres === undefined
      ? {}
      : {
          PGHOST: postgres.host,
          PGPORT: String(postgres.port),
          PGUSER: postgres.user,
          PGDATABASE: postgres.database,
          DRILL_POSTGRES: `host=${postgres.host} port=${postgres.port} user=${postgres.user} dbname=${postgres.database}`,
        }),
    ...(redis === undefined
      ? {}
      : {
          DRILL_REDIS_HOST: redis.host,
          DRILL_REDIS_PORT: String(redis.port),
          ...(redis.password === undefined ? {} : { REDISCLI_AUTH: redis.password }),
        }),
  };
}

function failed(check: DrillCheck, message: string): Check {
  const expected = describeExpectation(check) || 'exit code 0';
  return { name: check.name, status: 'fail', expected, actual: 'no answer', message };
}

function describeTrouble(error: unknown, { timeoutMs }: DrillCheck): string {
  if (error instanceof LifeboatError) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} s`;
  throw error;
}

const lastLine = (text: string): string => text.split('\n').at(-1) ?? text;
