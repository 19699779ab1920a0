import { requireKey, requirePrefix } from './object-key.ts';
import type { ObjectStore } from './object-store.ts';
import type { createS3Driver } from './s3/s3-driver.ts';
import { parseS3Url, type S3Location, type S3Options } from './s3/s3-location.ts';

/**
 * A bucket, or what lies under a prefix of it, as a store: AWS, and servers that speak its protocol and write conditionally.
 * Nothing is connected to before the first call. STORE_URL_INVALID where the URL is not one of an S3 store.
 */
export function createS3Store(url: string, options: S3Options = {}): ObjectStore {
  const location = parseS3Url(url);
  let driver: Promise<ReturnType<typeof createS3Driver>> | undefined;
  const open = async (): Promise<ReturnType<typeof createS3Driver>> => {
    driver ??= import('./s3/s3-driver.ts').then((module) => module.createS3Driver(location, options));
    return driver;
  };
  const store: ObjectStore = {
    url: location.url,
    async put(key, body, putOptions) {
      requireKey(key);
      return (await open()).put(key, body, putOptions);
    },
    async get(key, getOptions) {
      requireKey(key);
      return (await open()).get(key, getOptions);
    },
    async head(key) {
      requireKey(key);
      return (await open()).head(key);
    },
    async *list(prefix) {
      requirePrefix(prefix);
      yield* (await open()).list(prefix);
    },
    async *folders(prefix) {
      requirePrefix(prefix);
      yield* (await open()).folders(prefix);
    },
    async remove(key) {
      requireKey(key);
      await (await open()).remove(key);
    },
    async removeLeftovers(prefix, olderThanMs) {
      requirePrefix(prefix);
      return (await open()).removeLeftovers(prefix, olderThanMs);
    },
    async copyFrom(source, key, putOptions = {}) {
      requireKey(key);
      const from = locations.get(source);
      if (from === undefined || !isOneProvider(from, location)) return undefined;
      return (await open()).copy(from, key, putOptions);
    },
  };
  locations.set(store, location);
  return store;
}

/** Where the stores of this process are, so that one can tell whether it may copy from another. */
const locations = new WeakMap<ObjectStore, S3Location>();

/** All regions of AWS copy from each other; any other server only within itself. */
function isOneProvider(from: S3Location, to: S3Location): boolean {
  return from.endpoint === to.endpoint;
}
