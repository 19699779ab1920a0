import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BaseBackupFacts, Check, Manifest } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { baseChain, byId } from '../../domain/lineage.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PhysicalBackup, PostgresServerTools } from '../../postgres/physical/physical.ts';
import type { ReplaySources } from './replay-sources.ts';

/** A base on this host's disk, its own WAL with it: a full one as it was taken, or one that was combined. */
export interface UnpackedBase {
  /** Of the backup whose base it is. */
  readonly manifest: Manifest;
  readonly base: BaseBackupFacts;
  readonly tools: PostgresServerTools;
  readonly checks: readonly Check[];
  readonly bytes: number;
}

/** Which backup of a chain is to blame, and for what. */
export interface Spoilt {
  readonly backupId: string;
  readonly error: LifeboatError;
}

/**
 * Unpacks the base of a backup; of an incremental one each member of its chain beside the directory, and combines them. Nothing of the
 * directory is used that an earlier attempt has left. Damage is the answer, other errors are thrown.
 */
export async function unpackChain(
  sources: ReplaySources,
  { baseId, directory }: { readonly baseId: string; readonly directory: string },
  operation: Operation,
): Promise<UnpackedBase | Spoilt> {
  const members = `${directory}.bases`;
  let backupId = baseId;
  try {
    await clear(directory, members);
    const manifests: Manifest[] = [];
    for (const id of await chainOf(sources, baseId)) manifests.push(await load(sources, (backupId = id)));
    backupId = baseId;
    requireChain(manifests, baseId);
    const { physical, tools, base, manifest } = await openTools(sources, manifests, baseId);
    const made = { manifest, base, tools };
    if (manifests.length === 1)
      return { ...made, ...(await unpackOne(sources, { physical, manifest, directory }, operation)) };

    requireCombine(tools);
    const folders: string[] = [];
    let bytes = 0;
    for (const member of manifests) {
      backupId = member.id;
      const folder = join(members, member.id);
      bytes += (await unpackOne(sources, { physical, manifest: member, directory: folder }, operation)).bytes;
      folders.push(folder);
    }
    backupId = baseId;
    const combined = await physical.combine({ chain: folders, directory }, operation);
    return { ...made, bytes, checks: [chainCheck(manifests), combined] };
  } catch (error) {
    operation.signal.throwIfAborted();
    if (!isDamage(error)) throw error;
    return { backupId, error };
  } finally {
    await clear(members);
  }
}

async function clear(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

async function load(sources: ReplaySources, id: string): Promise<Manifest> {
  return (await sources.repository()).load(id);
}

async function chainOf(sources: ReplaySources, baseId: string): Promise<readonly string[]> {
  const { components } = await load(sources, baseId);
  return [...(components.postgres?.base?.chain ?? []), baseId];
}

function requireChain(manifests: readonly Manifest[], baseId: string): void {
  const own = manifests.find(({ id }) => id === baseId);
  const lineage = byId(manifests.map((manifest) => ({ ...manifest, status: 'complete' as const })));
  const chain = own?.components.postgres?.base && baseChain(own, lineage);
  if (chain !== undefined && 'message' in chain) throw new LifeboatError('BACKUP_CHAIN_BROKEN', chain.message);
}

async function openTools(
  sources: ReplaySources,
  manifests: readonly Manifest[],
  baseId: string,
): Promise<Pick<UnpackedBase, 'manifest' | 'base' | 'tools'> & { readonly physical: PhysicalBackup }> {
  const manifest = manifests.at(-1);
  const component = manifest?.components.postgres;
  if (manifest === undefined || component?.base === undefined) {
    throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${baseId} holds no physical base to replay on`);
  }
  const major = Math.floor(component.serverVersion / 10_000);
  const [physical, tools] = await Promise.all([sources.physical(major), sources.serverTools(major)]);
  return { manifest, base: component.base, physical, tools };
}

/** Before gigabytes are unpacked for it. */
function requireCombine({ pgCombinebackup, major }: PostgresServerTools): void {
  if (pgCombinebackup !== undefined) return;
  const message = `the programs of PostgreSQL ${major} on this host are without pg_combinebackup`;
  throw new LifeboatError('POSTGRES_COMBINE_FAILED', `combine base backups: ${message}`);
}

async function unpackOne(
  sources: ReplaySources,
  parts: { readonly physical: PhysicalBackup; readonly manifest: Manifest; readonly directory: string },
  operation: Operation,
): Promise<{ readonly bytes: number; readonly checks: readonly Check[] }> {
  const { physical, manifest, directory } = parts;
  const repository = await sources.repository();
  const { jobs } = sources;
  const artifacts = (manifest.components.postgres?.artifacts ?? []).filter(({ format }) =>
    format.startsWith('postgres-'),
  );
  const source = (name: string): AsyncIterable<Uint8Array> =>
    repository.readArtifact(manifest, 'postgres', name, operation);
  return physical.unpackBase({ directory, artifacts, jobs }, { source, operation });
}

/** What is not there any more is as good as damaged, and a chain that cannot be combined is one that is not whole. */
function isDamage(error: unknown): error is LifeboatError {
  if (!(error instanceof LifeboatError)) return false;
  return (
    error.rule.exit === 4 || ['ARTIFACT_NOT_FOUND', 'BACKUP_NOT_FOUND', 'POSTGRES_COMBINE_FAILED'].includes(error.code)
  );
}

function chainCheck(manifests: readonly Manifest[]): Check {
  const ids = manifests.map(({ id }) => id).join(' → ');
  const message = "every file of each has the size and the checksum of the server's backup manifest";
  return { name: 'base chain', status: 'pass', expected: ids, actual: ids, message };
}
