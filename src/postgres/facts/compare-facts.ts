import type { Check } from '../../domain/backup.ts';
import type { CatalogFacts, DatabaseFacts, DatabaseObject, SequenceState } from './database-facts.ts';
import { sequenceFits } from './sequences.ts';

/** What the restored database shows. */
export interface RestoredFacts {
  readonly catalog: CatalogFacts;
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
  readonly sequences: ReadonlyMap<string, SequenceState>;
}

/** Names in one message; results travel through histories. */
const NAMED_AT_MOST = 10;

/** The backup's record against the restored database: one check per property, differences named. */
export function compareFacts(recorded: DatabaseFacts, restored: RestoredFacts): Check[] {
  return [
    compareRows(recorded, restored),
    ...compareSequences(recorded, restored),
    ...compareExtensions(recorded, restored.catalog),
    compareObjects(recorded, restored.catalog),
    ...COUNTED.map(([name, field]) => compareCount(name, recorded[field], restored.catalog[field])),
    compareNames('constraints not validated', recorded.notValidated, restored.catalog.notValidated),
    compareNames('invalid indexes', recorded.invalidIndexes, restored.catalog.invalidIndexes),
  ];
}

const COUNTED = [
  ['constraints', 'constraints'],
  ['indexes', 'indexes'],
  ['triggers', 'triggers'],
  ['policies', 'policies'],
  ['large objects', 'largeObjects'],
  ['populated materialized views', 'populatedViews'],
] as const;

function compareRows(recorded: DatabaseFacts, restored: RestoredFacts): Check {
  const found = new Map(restored.tables.map((table) => [table.name, table.rows]));
  const expectedNames = new Set(recorded.tables.map((table) => table.name));
  const differences = [
    ...recorded.tables
      .filter((table) => found.get(table.name) !== table.rows)
      .map((table) => `${table.name}: ${found.get(table.name) ?? 'no table'} instead of ${table.rows}`),
    ...restored.tables
      .filter((table) => !expectedNames.has(table.name))
      .map((table) => `${table.name}: not in the backup`),
  ];
  return toCheck('rows', describeRows(recorded.tables), describeRows(restored.tables), differences);
}

function describeRows(tables: readonly { readonly rows: number }[]): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${rows} rows in ${tables.length} tables`;
}

function compareSequences(recorded: DatabaseFacts, restored: RestoredFacts): Check[] {
  const judged = recorded.sequences.map(({ name, before, after }) => {
    const state = restored.sequences.get(name);
    return { name, fits: state === undefined ? false : sequenceFits(state, before, after), state, after };
  });
  const wrong = judged.filter(({ fits }) => fits === false);
  const moved = judged.filter(({ fits }) => fits === undefined);
  const differences = wrong.map(
    ({ name, state, after }) => `${name}: ${state?.value ?? 'none'} instead of ${after.value}`,
  );
  const check = toCheck('sequences', `${recorded.sequences.length}`, `${restored.sequences.size}`, differences);
  if (moved.length === 0) return [check];
  const message = `moved backwards while the backup ran, so their value is not known: ${listNames(moved.map(({ name }) => name))}`;
  return [check, { name: 'sequences moved', status: 'skip', expected: '0', actual: `${moved.length}`, message }];
}

/** A newer server brings newer extensions along: another version is said, a missing one is a failure. */
function compareExtensions(recorded: DatabaseFacts, catalog: CatalogFacts): Check[] {
  const found = new Map(catalog.extensions.map((extension) => [extension.name, extension.version]));
  const missing = recorded.extensions.filter(({ name }) => !found.has(name)).map(({ name }) => `${name}: missing`);
  const check = toCheck('extensions', `${recorded.extensions.length}`, `${catalog.extensions.length}`, missing);
  const other = recorded.extensions.filter(({ name, version }) => found.has(name) && found.get(name) !== version);
  if (other.length === 0) return [check];
  const message = other.map(({ name, version }) => `${name} ${found.get(name)} instead of ${version}`);
  return [
    check,
    {
      name: 'extension versions',
      status: 'skip',
      expected: 'as backed up',
      actual: 'other',
      message: listNames(message),
    },
  ];
}

function compareObjects(recorded: DatabaseFacts, catalog: CatalogFacts): Check {
  const sameMajor = major(recorded.serverVersion) === major(catalog.serverVersion);
  const describe = (object: DatabaseObject): string => describeObject(object, sameMajor);
  const found = new Map(catalog.objects.map((object) => [key(object), describe(object)]));
  const expected = new Set(recorded.objects.map(key));
  const differences = [
    ...recorded.objects
      .filter((object) => found.get(key(object)) !== describe(object))
      .map((object) => `${key(object)}: ${found.get(key(object)) ?? 'missing'} instead of ${describe(object)}`),
    ...catalog.objects
      .filter((object) => !expected.has(key(object)))
      .map((object) => `${key(object)}: not in the backup`),
  ];
  return toCheck(
    'owners and rights',
    `${recorded.objects.length} objects`,
    `${catalog.objects.length} objects`,
    differences,
  );
}

/** MAINTAIN came with 17: an owner's full rights spell it there and not before. */
function describeObject({ owner, grants }: DatabaseObject, sameMajor: boolean): string {
  const compared = sameMajor ? grants : grants.filter((grant) => !/=MAINTAIN\*?$/.test(grant));
  return `${owner} {${compared.join(', ')}}`;
}

function compareCount(name: string, expected: number, actual: number): Check {
  return toCheck(name, `${expected}`, `${actual}`, expected === actual ? [] : [`${actual} instead of ${expected}`]);
}

function compareNames(name: string, expected: readonly string[], actual: readonly string[]): Check {
  const differences = [
    ...expected.filter((each) => !actual.includes(each)).map((each) => `${each}: no longer`),
    ...actual.filter((each) => !expected.includes(each)).map((each) => `${each}: only after the restore`),
  ];
  return toCheck(name, `${expected.length}`, `${actual.length}`, differences);
}

function toCheck(name: string, expected: string, actual: string, differences: readonly string[]): Check {
  const status = differences.length === 0 ? 'pass' : 'fail';
  return {
    name,
    status,
    expected,
    actual,
    message: differences.length === 0 ? 'as in the backup' : listNames(differences),
  };
}

function listNames(names: readonly string[]): string {
  const rest = names.length - NAMED_AT_MOST;
  return names.slice(0, NAMED_AT_MOST).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

const key = ({ kind, name }: DatabaseObject): string => `${kind} ${name}`;

const major = (serverVersion: number): number => Math.floor(serverVersion / 10_000);
