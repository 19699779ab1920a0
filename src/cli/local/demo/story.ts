import { setTimeout as delay } from 'node:timers/promises';
import type { LocalDatabases } from '../../../embedded/databases.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { CommandContext } from '../../command.ts';
import { openApplication, type Application } from './application.ts';
import {
  compareReadings,
  countDifferences,
  LOGGED_AHEAD,
  type Comparison,
  type Difference,
  type Reading,
} from './compare.ts';
import { strike } from './disaster.ts';
import { readPostgres } from './read-postgres.ts';
import { readRedis } from './read-redis.ts';
import { contextOf, runShown } from './shown-command.ts';
import type { Stage } from './stage.ts';

type Answer = Readonly<Record<string, unknown>>;

/** What the demo found out. */
export interface Proof {
  /** JSON answers of the product's own commands. */
  readonly backup: Answer;
  readonly incremental: Answer;
  readonly restore: Answer;
  readonly verify: Answer;
  /** The moment that was restored to: ISO 8601. */
  readonly moment: string;
  /** Time from a write until both journals held it. */
  readonly durableMs: number;
  /** What the disaster changed, as the same comparison saw it: one that is blind would prove nothing. */
  readonly damage: string;
  readonly comparison: Comparison;
  /** Of what was marked before and after the moment, what is there after the restore. */
  readonly marks: { readonly rows: readonly string[]; readonly keys: readonly string[] };
}

/** At most this many differences are printed one by one. */
const SHOWN = 8;
const LINE_LENGTH = 160;
/** So that the moment and what follows are not in one millisecond. */
const APART_MS = 20;
const BEFORE = 'before';
const AFTER = 'after';

/** Backup, work, a moment, work, disaster, restore to the moment, comparison, verification. Throws what the commands throw. */
export async function play(context: CommandContext, stage: Stage): Promise<Proof> {
  const { databases } = stage;
  const { output, signal } = context;
  const inside = contextOf(context, stage);
  const backup = await runShown(inside, 'backup full');
  const application = await openApplication(databases);
  try {
    output.note(`\n# the application goes on\n${await application.work(1)}`);
    const incremental = await runShown(inside, 'backup incremental');
    const { moment, reading, durableMs } = await goOnTo(context, databases, application);
    signal.throwIfAborted();

    output.note('\n# the disaster');
    for (const line of await strike(databases)) output.note(line);
    const damage = compareReadings(reading, await read(databases));
    if (damage.differences.length === 0)
      throw new LifeboatError('DEMO_DIFFERS', 'compare after the disaster: no damage seen');
    output.note(listed('lost or changed', damage.differences));
    signal.throwIfAborted();

    const restore = await runShown(inside, `restore latest --to-time ${moment} --drop-existing --yes`);
    const comparison = compareReadings(reading, await read(databases), { sequenceLead: LOGGED_AHEAD });
    const marks = await application.marks();
    output.note(`\n# every row and every key, at ${moment} and now\n${verdict(comparison)}`);
    output.note(`rows and keys marked "${BEFORE}" and "${AFTER}" that moment: ${describeMarks(marks)}`);
    signal.throwIfAborted();
    const verify = await runShown(inside, 'backup verify all');
    const answers = { backup, incremental, restore, verify };
    return { ...answers, moment, durableMs, damage: countDifferences(damage.differences), comparison, marks };
  } finally {
    await application.end();
  }
}

/** More work; then everything is read and the moment taken, and what comes after it must not come back. */
async function goOnTo(
  { output }: CommandContext,
  databases: LocalDatabases,
  application: Application,
): Promise<{ readonly moment: string; readonly reading: Reading; readonly durableMs: number }> {
  output.note(`\n# the application goes on\n${await application.work(2)}`);
  await application.mark(BEFORE);
  // What is written has been received by the journals then; nothing is written until the moment has passed.
  await application.untilDurable();
  const reading = await read(databases);
  const moment = new Date().toISOString();
  await delay(APART_MS);
  output.note(`\n# ${moment}: all is well\nread by the demo itself: ${describe(compareReadings(reading, reading))}`);
  await application.mark(AFTER);
  const after = await application.work(3);
  const durableMs = await application.untilDurable();
  output.note(
    `\n# the application goes on\n${after}\ndurable in the journals ${(durableMs / 1_000).toFixed(1)} s later`,
  );
  return { moment, reading, durableMs };
}

/** Only what was marked before the moment may be there, in both databases. */
export function isCut({ rows, keys }: Proof['marks']): boolean {
  return [rows, keys].every((names) => names.length === 1 && names[0] === BEFORE);
}

function describeMarks(marks: Proof['marks']): string {
  const { rows, keys } = marks;
  return `rows ${namesOf(rows)}; keys ${namesOf(keys)}${isCut(marks) ? '' : ': WRONG'}`;
}

const namesOf = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));

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
