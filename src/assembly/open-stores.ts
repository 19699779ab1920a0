import type { Config } from '../config/schema/config.ts';
import { durationMs } from '../domain/duration.ts';
import { LifeboatError } from '../domain/errors.ts';
import { nearestName } from '../domain/nearest-name.ts';
import { openStore } from '../storage/open-store.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { S3Credentials, S3Options } from '../storage/s3/s3-location.ts';
import { limitRate } from '../storage/with-rate-limit.ts';

type StoreSection = Config['stores'][string];

/** The store that holds the repository: the one that `storage.primary` names, else the folder. @throws LifeboatError STORE_UNKNOWN, STORE_URL_INVALID */
export function openPrimaryStore(config: Config): ObjectStore {
  const { primary, localPath } = config.storage;
  if (primary !== undefined) return openNamedStore(config, primary);
  if (/\/s3:\/[^/]/.test(localPath)) {
    throw new LifeboatError('STORE_URL_INVALID', 'open store: storage.localPath is a folder, not a bucket', {
      hint: 'give the bucket a name in `stores` of config/backup.json, and that name to storage.primary (LIFEBOAT_STORE)',
    });
  }
  return openStore(localPath);
}

/** One of `stores`. @throws LifeboatError STORE_UNKNOWN, STORE_URL_INVALID, CONFIG_INVALID */
export function openNamedStore(config: Config, name: string): ObjectStore {
  const section = sectionOf(config, name);
  const store = openStore(section.url, '.', s3OptionsOf(name, section));
  const { rateLimit = 0 } = section;
  return rateLimit === 0 ? store : limitRate(store, rateLimit);
}

/** URL and options of one of `stores`, for what opens it in ways of its own. @throws LifeboatError STORE_UNKNOWN */
export function describeNamedStore(config: Config, name: string): { readonly url: string; readonly s3: S3Options } {
  const section = sectionOf(config, name);
  return { url: section.url, s3: s3OptionsOf(name, section) };
}

function sectionOf({ stores }: Config, name: string): StoreSection {
  const section = Object.hasOwn(stores, name) ? stores[name] : undefined;
  if (section !== undefined) return section;
  const near = nearestName(name, Object.keys(stores));
  throw new LifeboatError('STORE_UNKNOWN', `open store ${name}: not in \`stores\``, {
    ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
    details: { known: Object.keys(stores) },
  });
}

function s3OptionsOf(name: string, section: StoreSection): S3Options {
  const { objectLock, checksum, timeout } = section;
  return {
    credentials: credentialsOf(`stores.${name}`, section),
    objectLock: objectLock && { mode: objectLock.mode, periodMs: durationMs(objectLock.period) },
    checksum,
    timeoutMs: durationMs(timeout),
  };
}

/** All of it or nothing: half would silently be that of somebody else in the environment. */
export function credentialsOf(
  key: string,
  { credentials }: Pick<StoreSection, 'credentials'>,
): S3Credentials | undefined {
  const { accessKey, secretKey, sessionToken } = credentials;
  if (accessKey === undefined && secretKey === undefined && sessionToken === undefined) return undefined;
  if (accessKey === undefined || secretKey === undefined) {
    const missing = accessKey === undefined ? 'accessKey' : 'secretKey';
    throw new LifeboatError('CONFIG_INVALID', `${key}.credentials: ${missing} is missing`);
  }
  return {
    accessKeyId: accessKey.reveal(),
    secretAccessKey: secretKey.reveal(),
    sessionToken: sessionToken?.reveal(),
  };
}
