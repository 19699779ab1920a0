import { durationMs } from '../domain/duration.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Config } from './schema/config.ts';

/** The target that `storage.remoteStorage` is. */
export const REMOTE_TARGET = 'remote';

/** A place that gets a copy of every backup and of the journals. */
export interface ConfiguredTarget {
  /** `remote`, or a name of `crossRegion.regions`. */
  readonly name: string;
  readonly region: string | null;
  /** One of `stores`, or a bucket that only the manual's keys describe. */
  readonly place: { readonly store: string } | { readonly url: string };
}

/**
 * Every target of a configuration: first `remote`, then the regions in their order. `stores.<name>` wins over a bucket.
 * @throws LifeboatError CONFIG_INVALID, CONFIG_INCOMPLETE where a target has no place
 */
export function configuredTargets(config: Config): readonly ConfiguredTarget[] {
  const { enabled, regions } = config.crossRegion;
  const named = enabled ? regions : [];
  const twice = named.find((name, at) => named.indexOf(name) !== at || name === REMOTE_TARGET);
  if (twice !== undefined) throw invalid(`crossRegion.regions: ${twice} is there twice, or is a name that is taken`);
  const remote = isRemoteOn(config) ? [remoteTarget(config)] : [];
  const targets = [...remote, ...named.map((region) => regionTarget(config, region))];
  const { primary } = config.storage;
  const same = targets.find(({ place }) => 'store' in place && place.store === primary);
  if (same === undefined) return targets;
  throw invalid(`target ${same.name}: it is the store that holds the repository itself`);
}

/** How long after a backup its copies begin, milliseconds. @throws LifeboatError CONFIG_INVALID */
export function replicationDelayMs({ crossRegion: { replicationDelay } }: Config): number {
  return typeof replicationDelay === 'number' ? replicationDelay * 1_000 : durationMs(replicationDelay);
}

function isRemoteOn({ storage: { remoteStorage } }: Config): boolean {
  return remoteStorage.enabled ?? remoteStorage.bucket !== undefined;
}

function remoteTarget(config: Config): ConfiguredTarget {
  const { remoteStorage } = config.storage;
  const { bucket, region, type, endpoint } = remoteStorage;
  if (Object.hasOwn(config.stores, REMOTE_TARGET)) {
    return { name: REMOTE_TARGET, region: null, place: { store: REMOTE_TARGET } };
  }
  if (bucket === undefined) throw incomplete(`storage.remoteStorage: no bucket, and no \`stores.${REMOTE_TARGET}\``);
  if (type === 's3' && endpoint === undefined) throw incomplete('storage.remoteStorage: type s3 needs an endpoint');
  return { name: REMOTE_TARGET, region, place: { url: bucketUrl(config, bucket, region) } };
}

function regionTarget(config: Config, region: string): ConfiguredTarget {
  if (Object.hasOwn(config.stores, region)) return { name: region, region, place: { store: region } };
  const { bucket } = config.storage.remoteStorage;
  if (bucket === undefined) {
    throw incomplete(`crossRegion.regions: ${region}: neither \`stores.${region}\` nor storage.remoteStorage.bucket`);
  }
  return { name: region, region, place: { url: bucketUrl(config, `${bucket}-${region}`, region) } };
}

function bucketUrl({ storage: { remoteStorage } }: Config, bucket: string, region: string): string {
  const { prefix, endpoint, forcePathStyle } = remoteStorage;
  const parameters = new URLSearchParams({ region });
  if (endpoint !== undefined) parameters.set('endpoint', endpoint);
  if (forcePathStyle) parameters.set('forcePathStyle', 'true');
  const folder = prefix.replaceAll(/^\/+|\/+$/g, '');
  return `s3://${bucket}${folder === '' ? '' : `/${folder}`}?${parameters.toString()}`;
}

const invalid = (message: string): LifeboatError => new LifeboatError('CONFIG_INVALID', message);

const incomplete = (message: string): LifeboatError =>
  new LifeboatError('CONFIG_INCOMPLETE', message, {
    hint: 'give the target a place: `stores` of config/backup.json by its name, or a bucket (docs/guides/copies.md)',
  });
