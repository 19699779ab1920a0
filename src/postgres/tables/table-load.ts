import type { Operation } from '../../domain/operation.ts';
import type { Meter } from '../meter.ts';
import type { PostgresTarget, PostgresTools } from '../postgres.ts';
import type { ToolVersions } from '../tools/client-tools.ts';
import type { ChosenTable } from './choose-tables.ts';
import type { LoadTables } from './tables.ts';

export interface ToolsContext {
  readonly operation: Operation;
  readonly tools: PostgresTools;
  readonly versions: ToolVersions;
  /** Private folder of this load, for definitions. */
  readonly folder: string;
  readonly passfile: string;
  readonly applicationName: string;
}

/** Value of a sequence of the tables, to be set where they are loaded. */
export interface SequenceValue {
  readonly name: string;
  readonly value: string;
  readonly called: boolean;
}

/** Everything that the transaction in the live database is made from. */
export interface Load {
  readonly request: LoadTables;
  readonly context: ToolsContext;
  readonly meter: Meter;
  readonly mark: string;
  /** Where the definitions are, under the staging schema. */
  readonly definitions: PostgresTarget;
  readonly tables: readonly ChosenTable[];
  readonly sequences: readonly SequenceValue[];
  /** Scripts with rows, read one after the other. */
  readonly rows: readonly (() => AsyncIterable<Uint8Array>)[];
  /** Rows of a table as the backup recorded them; undefined where nothing is recorded. */
  recorded(table: ChosenTable): number | undefined;
  /** The text of a time depends on it. */
  readonly timeZone: string;
  /** Rows are written by another major version than reads them back: their text may differ without their meaning. */
  readonly otherMajor: boolean;
}
