import { randomUUID } from 'node:crypto';
import {
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import { abortable } from '../abortable.ts';
import type { PutOptions } from '../object-store.ts';
import type { S3Bucket } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';
import { createPartMemory, cutParts, type Part, PART_BYTES } from './s3-parts.ts';
import { type Upload, uploadParts, withLeftParts } from './s3-upload.ts';

/** Metadata by which an object is known to be of one put: answers get lost, and the retry then finds the key taken. */
export const PUT_ID = 'lifeboat-put';

type Body = AsyncIterable<Uint8Array> | Uint8Array;

/** Writes one object: with one request where it fits into a part, else as a multipart upload. Whole and durable when it resolves. */
export async function putObject(
  bucket: S3Bucket,
  key: string,
  request: { readonly body: Body; readonly options: PutOptions },
): Promise<{ sizeBytes: number }> {
  const { body, options } = request;
  options.signal?.throwIfAborted();
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const putId = randomUUID();
  const params = { ...paramsOf(bucket, key, options), Metadata: { [PUT_ID]: putId } };
  const upload: Upload = { bucket, key, params, memory: createPartMemory(), stop };
  try {
    return await putBody(upload, putId, body);
  } catch (error) {
    throw options.signal?.aborted === true ? options.signal.reason : error;
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** What goes with every object that is written. */
export function paramsOf(bucket: S3Bucket, key: string, options: PutOptions): Omit<PutObjectCommandInput, 'Body'> {
  const { location, objectLock, checksumAlgorithm } = bucket;
  return {
    Bucket: location.bucket,
    Key: location.root + key,
    ...(options.ifNoneMatch === true ? { IfNoneMatch: '*' } : {}),
    ...(options.ifMatch === undefined ? {} : { IfMatch: options.ifMatch }),
    ...(checksumAlgorithm === undefined ? {} : { ChecksumAlgorithm: checksumAlgorithm }),
    ...(objectLock === undefined
      ? {}
      : {
          ObjectLockMode: objectLock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
          ObjectLockRetainUntilDate: new Date(Date.now() + objectLock.periodMs),
        }),
  };
}

async function putBody(upload: Upload, putId: string, body: Body): Promise<{ sizeBytes: number }> {
  if (body instanceof Uint8Array && body.byteLength <= PART_BYTES) return putWhole(upload, putId, body);
  let sizeBytes = 0;
  const count = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      sizeBytes += chunk.byteLength;
      yield chunk;
    }
  };
  const chunks = body instanceof Uint8Array ? oneChunk(body) : body;
  const parts = cutParts(count(abortable(chunks, upload.stop.signal)), upload.memory);
  try {
    const first = await parts.next();
    if (first.done === true) throw new RangeError(`put ${upload.key}: a body without a part`);
    if (first.value.isLast) return await putWhole(upload, putId, first.value.bytes);
    await putInParts(upload, putId, startingWith(first.value, parts));
    upload.memory.close();
    return { sizeBytes };
  } finally {
    // Where the upload could not even begin nobody has read on, and the producer would wait for ever.
    await parts.return(undefined);
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* startingWith(first: Part, rest: AsyncIterable<Part>): AsyncGenerator<Part> {
  yield first;
  yield* rest;
}

async function putWhole(upload: Upload, putId: string, bytes: Uint8Array): Promise<{ sizeBytes: number }> {
  const { bucket, params, stop } = upload;
  try {
    await bucket.client.send(new PutObjectCommand({ ...params, Body: bytes }), { abortSignal: stop.signal });
  } catch (error) {
    if (!(await isOf(bucket, upload.key, putId))) throw await explain(upload, error);
  }
  return { sizeBytes: bytes.byteLength };
}

async function putInParts(upload: Upload, putId: string, parts: AsyncIterable<Part>): Promise<void> {
  const uploaded = await uploadParts(upload, parts);
  try {
    await uploaded.complete();
  } catch (error) {
    const left = await uploaded.abort();
    if (!(await isOf(upload.bucket, upload.key, putId))) throw withLeftParts(await explain(upload, error), left);
  }
}

/** A conflict does not say whether the key is taken: it may also be a write that lost to a removal. */
async function explain({ bucket, key, params }: Upload, cause: unknown): Promise<LifeboatError> {
  const error = s3Error('write', `put ${key}`, cause);
  if (params.IfMatch !== undefined && ['STORE_KEY_EXISTS', 'STORE_KEY_MISSING'].includes(error.code)) {
    return new LifeboatError('STORE_KEY_CHANGED', `put ${key}: not the version that was read`, { cause: error });
  }
  if (error.details['status'] !== 409 || (await headOf(bucket, key)) === undefined) return error;
  return new LifeboatError('STORE_KEY_EXISTS', `put ${key}: taken`, { cause: error });
}

/** Whether the object under the key is the one of this put. Unknown counts as no: the caller then reports the failure it has. */
export async function isOf(bucket: S3Bucket, key: string, putId: string): Promise<boolean> {
  return (await headOf(bucket, key))?.Metadata?.[PUT_ID] === putId;
}

async function headOf({ client, location }: S3Bucket, key: string): Promise<HeadObjectCommandOutput | undefined> {
  const command = new HeadObjectCommand({ Bucket: location.bucket, Key: location.root + key });
  return client.send(command).catch(() => undefined);
}
