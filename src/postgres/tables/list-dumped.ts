import { parseTableName, type TableName } from '../../domain/table-name.ts';
import type { ArtifactSource } from '../postgres.ts';
import { readFacts } from '../restore/read-artifacts.ts';

const KINDS = new Set(['table', 'partitioned table']);

/** See PostgresTables.list. */
export async function listDumped(source: ArtifactSource): Promise<readonly TableName[]> {
  const { objects } = await readFacts(source('facts'));
  return objects.filter(({ kind }) => KINDS.has(kind)).map(({ name }) => parseTableName(name));
}
