import { z } from 'zod';
import type { Artifact, PostgresComponent, PostgresFacts, RedisComponent, RedisFacts } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type AttemptPlace, attemptOf, attemptPrefix, indexKey } from '../layout.ts';
import { ARTIFACT, POSTGRES_FACTS, REDIS_FACTS, wrongFields } from '../manifest/manifest-schema.ts';
import type { ComponentRef } from '../repository.ts';
import { parseJson, putOnce, readSmallObject, sha256Of } from '../small-object.ts';

/** `…/attempt-<n>/index.json`: what one attempt at a component made; the manifest takes it over. */
export interface ComponentIndex extends AttemptPlace {
  readonly facts: PostgresFacts | RedisFacts;
  readonly artifacts: readonly Artifact[];
}

const PLACE = { backupId: z.string(), attempt: z.number().int().positive(), formatVersion: z.literal(1) };
const ARTIFACTS = z.array(ARTIFACT).min(1);
const INDEX = z.discriminatedUnion('component', [
  z.looseObject({ ...PLACE, component: z.literal('postgres'), facts: POSTGRES_FACTS, artifacts: ARTIFACTS }),
  z.looseObject({ ...PLACE, component: z.literal('redis'), facts: REDIS_FACTS, artifacts: ARTIFACTS }),
]);

/** Bytes of an index. Equal content gives equal bytes, so that it can be made again from a manifest. */
export function indexBytes({ backupId, component, attempt, facts, artifacts }: ComponentIndex): Buffer {
  return canonicalJson({ formatVersion: 1, backupId, component, attempt, facts, artifacts });
}

/**
 * Safe to repeat with the same content. ARTIFACT_INVALID when a name repeats or an artifact is not of this attempt; `takesOver`: nor of one
 * before it.
 */
export async function writeComponentIndex(
  store: ObjectStore,
  index: ComponentIndex,
  { takesOver = false }: { readonly takesOver?: boolean } = {},
): Promise<ComponentRef> {
  requireOwnArtifacts(index, { takesOver });
  const bytes = indexBytes(index);
  requireIndexShape(indexKey(index), bytes);
  await putOnce(store, indexKey(index), bytes);
  return { component: index.component, key: indexKey(index), storedBytes: bytes.length, sha256: sha256Of(bytes) };
}

/** COMPONENT_INDEX_INVALID when it is not the one that the reference was made for. */
export async function readComponentIndex(
  store: ObjectStore,
  backupId: string,
  ref: ComponentRef,
): Promise<ComponentIndex> {
  const bytes = await readSmallObject(store, ref.key);
  if (bytes === undefined) throw invalid(ref.key, 'missing');
  if (bytes.length !== ref.storedBytes || sha256Of(bytes) !== ref.sha256)
    throw invalid(ref.key, 'not as it was written');
  const index = requireIndexShape(ref.key, bytes);
  const place = attemptOf(ref.key);
  if (index.backupId !== backupId || index.component !== ref.component || place?.component !== ref.component) {
    throw invalid(ref.key, `not of ${ref.component} in ${backupId}`);
  }
  // What was taken over was the writer's to decide.
  requireOwnArtifacts(index, { takesOver: true });
  return index;
}

/** The component as a manifest holds it. */
export function componentOf(index: ComponentIndex): PostgresComponent | RedisComponent {
  const { facts, artifacts } = index;
  return {
    ...facts,
    bytes: artifacts.reduce((sum, artifact) => sum + artifact.plainBytes, 0),
    storedBytes: artifacts.reduce((sum, artifact) => sum + artifact.storedBytes, 0),
    artifacts,
  };
}

/** The way back: what the index of a component in a manifest must hold. */
export function factsOf(component: PostgresComponent | RedisComponent): PostgresFacts | RedisFacts {
  const { bytes: _bytes, storedBytes: _storedBytes, artifacts: _artifacts, ...facts } = component;
  return facts;
}

function requireIndexShape(key: string, bytes: Buffer): ComponentIndex {
  const parsed = INDEX.safeParse(parseJson(bytes));
  if (!parsed.success) throw invalid(key, `not as documented: ${wrongFields(parsed.error)}`);
  return parsed.data;
}

function requireOwnArtifacts(index: ComponentIndex, { takesOver }: { readonly takesOver: boolean }): void {
  const names = new Set(index.artifacts.map(({ name }) => name));
  const objects = index.artifacts.flatMap((artifact) => artifact.objects);
  const first = takesOver ? 1 : index.attempt;
  const stray = objects.find((object) => !isOfAttempts(object.key, index, first));
  if (index.artifacts.length === 0 || names.size !== index.artifacts.length || stray !== undefined) {
    const what = stray === undefined ? 'none, or a name twice' : `object ${stray.key} is not of the attempt`;
    throw new LifeboatError('ARTIFACT_INVALID', `artifacts of ${attemptPrefix(index)}: ${what}`);
  }
}

/** A component may be made in two steps: of an attempt from the first to its own. */
function isOfAttempts(key: string, place: AttemptPlace, first: number): boolean {
  const attempt = attemptOf(key)?.attempt ?? 0;
  return attempt >= first && attempt <= place.attempt && key.startsWith(attemptPrefix({ ...place, attempt }));
}

function invalid(key: string, what: string): LifeboatError {
  return new LifeboatError('COMPONENT_INDEX_INVALID', `component index ${key}: ${what}`, { details: { key } });
}
