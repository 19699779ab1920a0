import type { Artifact, ComponentName, Manifest, StoredObject } from '../../domain/backup.ts';
import { factsOf, indexBytes } from './component-index.ts';
import { attemptBeginBytes } from './attempts.ts';
import { attemptBeginKey, attemptOf, beginKey, indexKey, manifestKey, signatureKey } from '../layout.ts';

export interface HeldObject {
  readonly artifact: Artifact;
  readonly object: StoredObject;
}

/** Every object of a backup. */
export function objectsOf(manifest: Manifest): HeldObject[] {
  const { postgres, redis } = manifest.components;
  const artifacts = [...(postgres?.artifacts ?? []), ...(redis?.artifacts ?? [])];
  return artifacts.flatMap((artifact) => artifact.objects.map((object) => ({ artifact, object })));
}

export interface SmallObject {
  readonly key: string;
  /** As they must be. */
  readonly bytes: Buffer;
  /** Whether it belongs to every backup. */
  readonly required: boolean;
}

/** The seats of the attempts that publish took, and their indexes: both can be made again from the manifest. */
export function attemptObjectsOf(manifest: Manifest): SmallObject[] {
  return (['postgres', 'redis'] as const).flatMap((component) => {
    const held = manifest.components[component];
    const attempt = attemptsOf(manifest).get(component);
    if (held === undefined || attempt === undefined) return [];
    const place = { backupId: manifest.id, component, attempt };
    const index = indexBytes({ ...place, facts: factsOf(held), artifacts: held.artifacts });
    return [
      { key: indexKey(place), bytes: index, required: true },
      { key: attemptBeginKey(place), bytes: attemptBeginBytes(place), required: false },
    ];
  });
}

/** Tells whether a key below a published backup has a right to be there. */
export function createKeyFilter(manifest: Manifest): (key: string) => boolean {
  const own = ownKeys(manifest);
  const attempts = attemptsOf(manifest);
  return (key) => own.has(key) || isLeftover(key, attempts);
}

/** Tells whether a key below a published backup is of an earlier, lost attempt, and of no use to anybody. */
export function leftoverKeys(manifest: Manifest): (key: string) => boolean {
  const own = ownKeys(manifest);
  const attempts = attemptsOf(manifest);
  return (key) => !own.has(key) && isLeftover(key, attempts);
}

function ownKeys(manifest: Manifest): ReadonlySet<string> {
  const { id } = manifest;
  const own = new Set([manifestKey(id), signatureKey(id), beginKey(id)]);
  for (const { object } of objectsOf(manifest)) own.add(object.key);
  for (const { key } of attemptObjectsOf(manifest)) own.add(key);
  return own;
}

/** Attempt of each component that the manifest took: the last of which it has objects, and the one whose index names them all. */
function attemptsOf(manifest: Manifest): ReadonlyMap<ComponentName, number> {
  const attempts = new Map<ComponentName, number>();
  for (const { object } of objectsOf(manifest)) {
    const place = attemptOf(object.key);
    if (place !== null) attempts.set(place.component, Math.max(place.attempt, attempts.get(place.component) ?? 0));
  }
  return attempts;
}

/** What an earlier, lost attempt wrote is no damage: cleanup removes it after a grace period. */
function isLeftover(key: string, attempts: ReadonlyMap<ComponentName, number>): boolean {
  const place = attemptOf(key);
  return place !== null && place.attempt < (attempts.get(place.component) ?? 0);
}
