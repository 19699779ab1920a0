import { requireKey, requirePrefix } from './object-key.ts';
import type { ObjectStore } from './object-store.ts';
import type { createS3Driver } from './s3/s3-driver.ts';
import { parseS3Url, type S3Options } from './s3/s3-location.ts';

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
  return {
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
  };
}
