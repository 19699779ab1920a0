import { LifeboatError } from '../../domain/errors.ts';
import type { Check } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PlanCheck } from '../../domain/plan/recovery-plan.ts';
import { askPostgres, checkPostgres } from '../../postgres/health.ts';
import { checkRedis } from '../../redis/health.ts';
import type { WorkSettings } from '../dependencies.ts';
import { configuredComponents, postgresTarget, redisTarget } from '../sources.ts';

/** Checks one after the other: what a recovery has brought back is not to be met with a crowd. */
export async function runChecks(
  settings: WorkSettings,
  asked: readonly PlanCheck[] | 'configured',
  operation: Operation,
): Promise<Check[]> {
  const found: Check[] = [];
  for (const check of asked === 'configured' ? configuredChecks(settings) : asked) {
    operation.onProgress({ phase: `checking ${check.name}`, bytes: 0, items: found.length });
    found.push(await runCheck(settings, check, operation));
  }
  return found;
}

function configuredChecks(settings: WorkSettings): readonly PlanCheck[] {
  return configuredComponents(settings).map((name) =>
    name === 'postgres'
      ? { type: 'postgres', name, writable: true }
      : { type: 'redis', name, writable: true, minKeys: null, maxKeys: null },
  );
}

/** A server that does not answer, or refuses, is what the check has found. */
async function runCheck(settings: WorkSettings, check: PlanCheck, operation: Operation): Promise<Check> {
  try {
    if (check.type === 'postgres') return await askServer(settings, check, operation);
    if (check.type === 'redis') return await countKeys(settings, check, operation);
    return await compare(settings, check, operation);
  } catch (error) {
    operation.signal.throwIfAborted();
    if (!(error instanceof LifeboatError)) throw error;
    const { message, code } = error;
    return { name: check.name, status: 'fail', expected: EXPECTED[check.type], actual: code, message };
  }
}

const EXPECTED = { postgres: 'an answer', redis: 'an answer', sql: 'a value' } as const;

type Of<T extends PlanCheck['type']> = Extract<PlanCheck, { readonly type: T }>;

async function askServer(settings: WorkSettings, check: Of<'postgres'>, operation: Operation): Promise<Check> {
  const { server, database } = await checkPostgres(postgresTarget(settings), check, operation);
  const actual = `${database} on PostgreSQL ${server} answers${check.writable ? ' and takes writes' : ''}`;
  return pass(check.name, check.writable ? 'answers and takes writes' : 'answers', actual);
}

async function countKeys(settings: WorkSettings, check: Of<'redis'>, operation: Operation): Promise<Check> {
  const { name, writable, minKeys, maxKeys } = check;
  const { server, keys } = await checkRedis(redisTarget(settings), check, operation);
  const isFew = minKeys !== null && keys < minKeys;
  const isMany = maxKeys !== null && keys > maxKeys;
  const bounds = [
    ...(minKeys === null ? [] : [`at least ${minKeys} keys`]),
    ...(maxKeys === null ? [] : [`at most ${maxKeys} keys`]),
  ];
  const expected = [writable ? 'answers and takes writes' : 'answers', ...bounds].join(', ');
  const actual = `Redis ${server}, ${keys} keys`;
  if (!isFew && !isMany) return pass(name, expected, actual);
  return {
    name,
    status: 'fail',
    expected,
    actual,
    message: `${keys} keys, where ${bounds.join(' and ')} are expected`,
  };
}

async function compare(settings: WorkSettings, check: Of<'sql'>, operation: Operation): Promise<Check> {
  const { name, expected } = check;
  const found = await askPostgres(postgresTarget(settings), check, operation);
  const actual = found ?? 'nothing';
  if (actual === expected) return pass(name, expected, actual);
  return { name, status: 'fail', expected, actual, message: `${actual}, where ${expected} is expected` };
}

function pass(name: string, expected: string, actual: string): Check {
  return { name, status: 'pass', expected, actual, message: '' };
}
