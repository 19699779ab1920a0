import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { LifeboatError } from '../../domain/errors.ts';
import { abortable } from '../abortable.ts';
import type { PutOptions } from '../object-store.ts';
import type { S3Bucket } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';

/**
 * Parts of a multipart upload and how many are under way at once. 10 000 parts are the most there may be: one object can
 * have 80 GB. An upload holds the parts under way, the one that is being filled and a copy while it is cut: 48 MiB.
 */
export const PART_BYTES = 8 * 1024 * 1024;
const PARTS_IN_FLIGHT = 4;

/** Metadata by which an object is known to be of one put: answers get lost, and the retry then finds the key taken. */
export const PUT_ID = 'lifeboat-put';

type Body = AsyncIterable<Uint8Array> | Uint8Array;

/**
 * Writes one object: with one request where it fits into a part, else as a multipart upload. Whole and durable when it resolves.
 * A failure aborts the upload, after the parts under way have ended, so that none arrives behind it.
 */
export async function putObject(
  bucket: S3Bucket,
  key: string,
  request: { readonly body: Body; readonly options: PutOptions },
): Promise<{ sizeBytes: number }> {
  const { body, options } = request;
  options.signal?.throwIfAborted();
  const putId = randomUUID();
  const source = createSource(body, options.signal);
  const requests = createRequests(bucket.client, options.signal, source.fail);
  const upload = new Upload({
    client: requests.client,
    params: { ...paramsOf(bucket, key, options), Metadata: { [PUT_ID]: putId }, Body: source.body },
    partSize: PART_BYTES,
    queueSize: PARTS_IN_FLIGHT,
  });
  try {
    await upload.done();
  } catch (error) {
    const failure = source.failure() ?? requests.failure() ?? error;
    if (requests.wasFinal() && (await isOf(bucket, key, putId))) return { sizeBytes: source.sizeBytes() };
    if (options.signal?.aborted === true) throw options.signal.reason;
    if (source.failure() !== undefined) throw failure;
    throw await explain(bucket, key, { failure, leftBehind: requests.leftBehind() });
  } finally {
    requests.close();
  }
  return { sizeBytes: source.sizeBytes() };
}

/** What goes with every object that is written. */
export function paramsOf(bucket: S3Bucket, key: string, options: PutOptions): Omit<PutObjectCommandInput, 'Body'> {
  const { location, objectLock, checksumAlgorithm } = bucket;
  return {
    Bucket: location.bucket,
    Key: location.root + key,
    ...(options.ifNoneMatch === true ? { IfNoneMatch: '*' } : {}),
    ...(checksumAlgorithm === undefined ? {} : { ChecksumAlgorithm: checksumAlgorithm }),
    ...(objectLock === undefined
      ? {}
      : {
          ObjectLockMode: objectLock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
          ObjectLockRetainUntilDate: new Date(Date.now() + objectLock.periodMs),
        }),
  };
}

interface Source {
  readonly body: Readable | Uint8Array;
  sizeBytes(): number;
  /** What the producer threw, or the reason of an abort while it was read. */
  failure(): unknown;
  /** No more is read: a request has failed, and the rest would be sent for nothing. */
  fail(): void;
}

/** The body with its chunks copied: their memory may be used again when the next is asked for, and parts are cut later. */
function createSource(body: Body, signal: AbortSignal | undefined): Source {
  let sizeBytes = body instanceof Uint8Array ? body.byteLength : 0;
  let failure: unknown;
  let isOver = false;
  async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of abortable(chunks, signal)) {
        if (isOver) return;
        sizeBytes += chunk.byteLength;
        if (chunk.byteLength > 0) yield Buffer.from(chunk);
      }
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  return {
    body: body instanceof Uint8Array ? body : Readable.from(copies(body), { objectMode: true, highWaterMark: 1 }),
    sizeBytes: () => sizeBytes,
    failure: () => failure,
    fail: () => void (isOver = true),
  };
}

interface Requests {
  readonly client: S3Client;
  /** The first request that failed: what follows it is a consequence. */
  failure(): unknown;
  /** Whether the request was sent that makes the object visible. */
  wasFinal(): boolean;
  /** Why parts were left in the store, where the upload could not be aborted. */
  leftBehind(): unknown;
  close(): void;
}

/**
 * The client as the upload shall use it: requests end with the signal, the first failure ends the others, and the request
 * that makes an upload and the one that aborts it run to their end, or an upload would stay that nobody knows.
 */
function createRequests(client: S3Client, signal: AbortSignal | undefined, onFailure: () => void): Requests {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  let failure: unknown;
  let leftBehind: unknown;
  let wasFinal = false;
  const send = async (command: Parameters<S3Client['send']>[0]): Promise<unknown> => {
    const isAbort = command instanceof AbortMultipartUploadCommand;
    const runsToItsEnd = isAbort || command instanceof CreateMultipartUploadCommand;
    wasFinal ||= command instanceof PutObjectCommand || command instanceof CompleteMultipartUploadCommand;
    try {
      return await client.send(command, runsToItsEnd ? {} : { abortSignal: stop.signal });
    } catch (error) {
      if (isAbort) leftBehind = error;
      else failure ??= error;
      onFailure();
      stop.abort(error);
      throw error;
    }
  };
  return {
    client: Object.create(client, { send: { value: send } }),
    failure: () => failure,
    wasFinal: () => wasFinal,
    leftBehind: () => leftBehind,
    close: () => signal?.removeEventListener('abort', onAbort),
  };
}

/** The answer to a conditional write says that the key is taken, but not by whom: a conflict may also be a write that lost to a removal. */
async function explain(
  bucket: S3Bucket,
  key: string,
  what: { readonly failure: unknown; readonly leftBehind: unknown },
): Promise<LifeboatError> {
  const error = s3Error('write', `put ${key}`, what.failure);
  if (error.details['status'] === 409 && (await headOf(bucket, key)) !== undefined)
    return new LifeboatError('STORE_KEY_EXISTS', `put ${key}: taken`, { cause: error });
  // An upload that is gone already left nothing.
  if (what.leftBehind === undefined || isGone(what.leftBehind)) return error;
  const left = s3Error('write', `abort the upload of ${key}`, what.leftBehind);
  return new LifeboatError(
    error.code,
    `${error.message}; its parts stay until leftovers are removed: ${left.message}`,
    {
      cause: error,
      details: error.details,
      hint: error.hint,
    },
  );
}

function isGone(error: unknown): boolean {
  return s3Error('write', 'abort', error).details['protocolCode'] === 'NoSuchUpload';
}

/** Whether the object under the key is the one of this put. Unknown counts as no: the caller then reports the failure it has. */
export async function isOf(bucket: S3Bucket, key: string, putId: string): Promise<boolean> {
  return (await headOf(bucket, key))?.Metadata?.[PUT_ID] === putId;
}

async function headOf(bucket: S3Bucket, key: string): Promise<HeadObjectCommandOutput | undefined> {
  const { client, location } = bucket;
  return client
    .send(new HeadObjectCommand({ Bucket: location.bucket, Key: location.root + key }))
    .catch(() => undefined);
}
