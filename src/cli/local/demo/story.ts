import { seedDatabases } from '../../../embedded/demo-data.ts';
import type { LocalDatabases } from '../../../embedded/databases.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { CommandContext } from '../../command.ts';
import { compareReadings, countDifferences, type Comparison, type Difference, type Reading } from './compare.ts';
import { strike } from './disaster.ts';
import { readPostgres } from './read-postgres.ts';
import { readRedis } from './read-redis.ts';
import { contextOf, runShown } from './shown-command.ts';
import type { Stage } from './stage.ts';

/** What the demo found out. */
export interface Proof {
  /** JSON answers of the product's own commands. */
  readonly backup: Readonly<Record<string, unknown>>;
  readonly restore: Readonly<Record<string, unknown>>;
  readonly verify: Readonly<Record<string, unknown>>;
  /** What the disaster changed, as the same comparison saw it: one that is blind would prove nothing. */
  readonly damage: string;
  readonly comparison: Comparison;
}

/** At most this many differences are printed one by one. */
const SHOWN = 8;
const LINE_LENGTH = 160;

/** Data, backup, disaster, restore, comparison, verification. Throws what the commands throw. */
export async function play(context: CommandContext, stage: Stage): Promise<Proof> {
  const { databases } = stage;
  const { output, signal } = context;
  const inside = contextOf(context, stage);

  await seedDatabases({ databases, signal, onPhase: (line) => output.note(line) });
  const before = await read(databases);
  output.note(`read by the demo itself: ${describe(compareReadings(before, before))}`);
  const backup = await runShown(inside, 'backup full');

  output.note('\n# the disaster');
  for (const line of await strike(databases)) output.note(line);
  const damage = compareReadings(before, await read(databases));
  if (damage.differences.length === 0)
    throw new LifeboatError('DEMO_DIFFERS', 'compare after the disaster: no damage seen');
  output.note(listed('lost or changed', damage.differences));
  signal.throwIfAborted();

  const restore = await runShown(inside, 'restore latest --drop-existing --yes');
  const comparison = compareReadings(before, await read(databases));
  output.note(`\n# every row and every key, before and now\n${verdict(comparison)}`);
  signal.throwIfAborted();
  const verify = await runShown(inside, 'backup verify latest');
  return { backup, restore, verify, damage: countDifferences(damage.differences), comparison };
}

async function read({ postgres, redis }: LocalDatabases): Promise<Reading> {
  const [database, cache] = await Promise.all([readPostgres(postgres), readRedis(redis)]);
  return { ...database, ...cache };
}

/** `11 tables with 800506 rows, 135 definitions; 125004 keys, 120001 of them with an expiry`. */
export function describe({ tables, rows, definitions, keys, keysWithExpiry }: Comparison): string {
  return `${tables} tables with ${rows} rows, ${definitions} definitions; ${keys} keys, ${keysWithExpiry} with an expiry`;
}

export function verdict(comparison: Comparison): string {
  const { differences } = comparison;
  if (differences.length === 0) return `identical: ${describe(comparison)}`;
  return listed('NOT AS IT WAS', differences);
}

function listed(title: string, differences: readonly Difference[]): string {
  const lines = differences
    .slice(0, SHOWN)
    .map(({ kind, name, what }) => `  ${kind} ${name}: ${what}`.slice(0, LINE_LENGTH));
  const more = differences.length > SHOWN ? [`  and ${differences.length - SHOWN} more`] : [];
  return [`${title}: ${countDifferences(differences)}`, ...lines, ...more].join('\n');
}
