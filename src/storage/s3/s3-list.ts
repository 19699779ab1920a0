import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import { isKeySegment } from '../object-key.ts';
import type { ObjectHead } from '../object-store.ts';
import type { S3Bucket } from './s3-client.ts';
import { s3Request } from './s3-errors.ts';

/** Everything under a string prefix in key order: one page of a thousand in memory, or the names of one folder. */
export function listObjects(bucket: S3Bucket, prefix: string): AsyncGenerator<ObjectHead> {
  return bucket.location.listing === 'flat' ? listFlat(bucket, prefix) : listByFolder(bucket, prefix);
}

/** Names between the prefix and the next `/`; the store leaves out what lies below them. */
export async function* listFolders(bucket: S3Bucket, prefix: string): AsyncGenerator<string> {
  if (bucket.location.listing === 'folders') {
    for (const entry of await entriesOf(bucket, prefix)) {
      if (typeof entry === 'string' && (await holdsObject(bucket, entry))) yield nameOf(entry, prefix);
    }
    return;
  }
  let last = '';
  for await (const page of pages(bucket, prefix, '/')) {
    for (const folder of foldersOf(page, bucket)) {
      last = requireOrder(last, folder);
      yield nameOf(folder, prefix);
    }
  }
}

/** A server that keeps folders lists them for a while after their last object. */
async function holdsObject(bucket: S3Bucket, folder: string): Promise<boolean> {
  for await (const page of pages(bucket, folder, undefined)) {
    if (headsOf(page, bucket).length > 0) return true;
  }
  return false;
}

async function* listFlat(bucket: S3Bucket, prefix: string): AsyncGenerator<ObjectHead> {
  let last = '';
  for await (const page of pages(bucket, prefix, undefined)) {
    for (const head of headsOf(page, bucket)) {
      last = requireOrder(last, head.key);
      yield head;
    }
  }
}

/** For servers that keep folders and list them as such: `b/1` before `b-1`. */
async function* listByFolder(bucket: S3Bucket, prefix: string): AsyncGenerator<ObjectHead> {
  for (const entry of await entriesOf(bucket, prefix)) {
    if (typeof entry === 'string') yield* listByFolder(bucket, entry);
    else yield entry;
  }
}

/** What a folder holds, in key order: objects, and the beginnings of keys below it, which end in `/`. */
async function entriesOf(bucket: S3Bucket, prefix: string): Promise<(ObjectHead | string)[]> {
  const entries: (ObjectHead | string)[] = [];
  for await (const page of pages(bucket, prefix, '/')) {
    entries.push(...headsOf(page, bucket), ...foldersOf(page, bucket));
  }
  return entries.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf(entry: ObjectHead | string): string {
  return typeof entry === 'string' ? entry : entry.key;
}

function nameOf(folder: string, prefix: string): string {
  return folder.slice(prefix.length, -1);
}

/** Objects of a page; what no key of ours can be belongs to somebody else. */
function headsOf(page: ListObjectsV2CommandOutput, { location }: S3Bucket): ObjectHead[] {
  return (page.Contents ?? [])
    .map(({ Key = '', Size = 0, LastModified = new Date(0) }) => ({
      key: Key.slice(location.root.length),
      sizeBytes: Size,
      modifiedAt: LastModified,
    }))
    .filter(({ key }) => key.split('/').every(isKeySegment));
}

function foldersOf(page: ListObjectsV2CommandOutput, { location }: S3Bucket): string[] {
  return (page.CommonPrefixes ?? [])
    .map(({ Prefix = '' }) => Prefix.slice(location.root.length))
    .filter((folder) => folder.slice(0, -1).split('/').every(isKeySegment));
}

/** What relies on the order would silently miss objects. */
function requireOrder(last: string, key: string): string {
  if (last < key) return key;
  throw new LifeboatError('STORE_UNSUPPORTED', `list: ${key} comes after ${last}`, {
    hint: 'the server does not list in the order of keys: add listing=folders to the URL of the store',
  });
}

async function* pages(
  { client, location }: S3Bucket,
  prefix: string,
  delimiter: string | undefined,
): AsyncGenerator<ListObjectsV2CommandOutput> {
  let token: string | undefined;
  do {
    const command = new ListObjectsV2Command({
      Bucket: location.bucket,
      Prefix: location.root + prefix,
      ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    const page = await s3Request('read', `list ${prefix}`, async () => client.send(command));
    yield page;
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}
