import { HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectHead, ObjectStore, PutOptions } from '../object-store.ts';
import { openBucket, type S3Bucket } from './s3-client.ts';
import { copyObject } from './s3-copy.ts';
import { s3Request } from './s3-errors.ts';
import { getObject } from './s3-get.ts';
import { listFolders, listObjects } from './s3-list.ts';
import type { S3Location, S3Options } from './s3-location.ts';
import { putObject } from './s3-put.ts';
import { removeObject } from './s3-remove.ts';
import { removeUploads } from './s3-uploads.ts';

/** What the store is made of, once the SDK is loaded. */
interface S3Driver extends Omit<ObjectStore, 'url' | 'copyFrom'> {
  /** Copies within the provider; undefined where these credentials may not read the source, or nothing is to copy. */
  copy(from: S3Location, key: string, options: PutOptions): Promise<{ sizeBytes: number } | undefined>;
}

/** The driver itself, loaded when it is first used: the SDK takes a moment that commands without S3 need not spend. */
export function createS3Driver(location: S3Location, options: S3Options): S3Driver {
  const bucket = openBucket(location, options);
  const requireBucket = onceTrue(async () => bucketExists(bucket));
  return {
    put: async (key, body, putOptions = {}) => putObject(bucket, key, { body, options: putOptions }),
    get: async (key, getOptions = {}) => getObject(bucket, key, getOptions),
    async head(key) {
      const found = await headObject(bucket, key);
      // An answer to HEAD does not say whether it is the key that is missing or the bucket.
      if (found === undefined) await requireBucket();
      return found;
    },
    list: (prefix) => listObjects(bucket, prefix),
    folders: (prefix) => listFolders(bucket, prefix),
    remove: async (key) => removeObject(bucket, key),
    copy: async (from, key, putOptions) => copyObject(bucket, { from, key, options: putOptions }),
    removeLeftovers: async (prefix, olderThanMs) => removeUploads(bucket, prefix, olderThanMs),
  };
}

async function headObject({ client, location }: S3Bucket, key: string): Promise<ObjectHead | undefined> {
  const command = new HeadObjectCommand({ Bucket: location.bucket, Key: location.root + key });
  try {
    const {
      ContentLength = 0,
      LastModified = new Date(0),
      ETag,
    } = await s3Request('read', `head ${key}`, async () => client.send(command));
    const version = ETag === undefined ? {} : { version: ETag };
    return { key, sizeBytes: ContentLength, modifiedAt: LastModified, ...version };
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'STORE_KEY_MISSING') return undefined;
    throw error;
  }
}

async function bucketExists({ client, location }: S3Bucket): Promise<void> {
  const command = new ListObjectsV2Command({ Bucket: location.bucket, Prefix: location.root, MaxKeys: 1 });
  await s3Request('read', `look at ${location.url}`, async () => client.send(command));
}

/** Runs `work` until it has worked once. */
function onceTrue(work: () => Promise<void>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    await work();
    isDone = true;
  };
}
