import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import type { PutOptions } from '../object-store.ts';
import type { S3Bucket } from './s3-client.ts';
import { s3Request } from './s3-errors.ts';
import type { S3Location } from './s3-location.ts';
import { isOf, paramsOf, PUT_ID } from './s3-put.ts';

/** The most that one request copies is 5 GiB; smaller ones give progress to a time-out. */
const COPY_PART_BYTES = 1024 * 1024 * 1024;

interface Copy {
  readonly from: S3Location;
  readonly key: string;
  readonly options: PutOptions;
}

/**
 * Copies one object within the provider, as an upload whose parts are pieces of the source: the request that completes it can
 * be conditional everywhere, that of a plain copy only on some servers. The source may not change meanwhile (if-match).
 * Undefined where these credentials may not read the source, and for an empty object, which has no part.
 */
export async function copyObject(bucket: S3Bucket, copy: Copy): Promise<{ sizeBytes: number } | undefined> {
  const { client, location } = bucket;
  const { key, options } = copy;
  const source = await sourceOf(bucket, copy);
  if (source === undefined || source.sizeBytes === 0) return undefined;
  const putId = randomUUID();
  const place = { ...paramsOf(bucket, key, options), Metadata: { [PUT_ID]: putId } };
  const { UploadId } = await s3Request('write', `copy ${key}`, async () =>
    client.send(new CreateMultipartUploadCommand(place)),
  );
  const upload = { Bucket: location.bucket, Key: location.root + key, UploadId };
  try {
    const parts = await copyParts(bucket, copy, { upload, source });
    const complete = { ...upload, MultipartUpload: { Parts: parts } };
    const condition = options.ifNoneMatch === true ? { IfNoneMatch: '*' } : {};
    await s3Request('write', `copy ${key}`, async () =>
      client.send(new CompleteMultipartUploadCommand({ ...complete, ...condition }), requestOptions(options)),
    );
    return { sizeBytes: source.sizeBytes };
  } catch (error) {
    if (await isOf(bucket, key, putId)) return { sizeBytes: source.sizeBytes };
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {
      // What stays is found by removeLeftovers; the first error tells more than this one.
    });
    throw options.signal?.aborted === true ? options.signal.reason : error;
  }
}

interface Source {
  readonly sizeBytes: number;
  readonly etag: string | undefined;
}

async function sourceOf({ client }: S3Bucket, { from, key, options }: Copy): Promise<Source | undefined> {
  options.signal?.throwIfAborted();
  try {
    const command = new HeadObjectCommand({ Bucket: from.bucket, Key: from.root + key });
    const found = await s3Request('read', `copy ${key}`, async () => client.send(command, requestOptions(options)));
    return { sizeBytes: found.ContentLength ?? 0, etag: found.ETag };
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'STORE_DENIED') return undefined;
    throw error;
  }
}

async function copyParts(
  { client }: S3Bucket,
  { from, key, options }: Copy,
  of: {
    readonly upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined };
    readonly source: Source;
  },
): Promise<CompletedPart[]> {
  const { upload, source } = of;
  const parts: CompletedPart[] = [];
  for (let at = 0; at < source.sizeBytes; at += COPY_PART_BYTES) {
    const last = Math.min(at + COPY_PART_BYTES, source.sizeBytes) - 1;
    const command = new UploadPartCopyCommand({
      ...upload,
      PartNumber: parts.length + 1,
      CopySource: `${from.bucket}/${from.root}${key}`,
      CopySourceRange: `bytes=${at}-${last}`,
      ...(source.etag === undefined ? {} : { CopySourceIfMatch: source.etag }),
    });
    const answer = await s3Request('read', `copy ${key}`, async () => client.send(command, requestOptions(options)));
    const { ETag, ChecksumCRC32 } = answer.CopyPartResult ?? {};
    parts.push({ PartNumber: parts.length + 1, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) });
  }
  return parts;
}

function requestOptions({ signal }: PutOptions): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
