import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import { endOnAbort } from '../local-read.ts';
import type { GetOptions } from '../object-store.ts';
import type { S3Bucket } from './s3-client.ts';
import { s3Error, s3Request } from './s3-errors.ts';

/** Cuts in a row, without a byte between them, after which a read is given up. */
const MAX_CUTS = 5;
const FIRST_PAUSE_MS = 200;
const READ_AHEAD_BYTES = 1024 * 1024;

interface Reading {
  readonly bucket: S3Bucket;
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  /** Aborted when nobody reads any more. */
  readonly closed: AbortSignal;
}

/**
 * Opens before it gives the stream, so that a missing key rejects. A connection that is cut, or on which nothing moves, is
 * replaced by a request for the rest of the same version of the object; the stream ends clean only after all its bytes.
 */
export async function getObject(bucket: S3Bucket, key: string, options: GetOptions): Promise<Readable> {
  options.signal?.throwIfAborted();
  const closing = new AbortController();
  const onAbort = (): void => closing.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const first = await request(bucket, key, { signal: closing.signal }).catch((error: unknown) => {
    options.signal?.removeEventListener('abort', onAbort);
    throw options.signal?.aborted === true ? options.signal.reason : error;
  });
  const sizeBytes = Number(first.ContentLength);
  const reading: Reading = { bucket, key, sizeBytes, etag: first.ETag, closed: closing.signal };
  const stream = streamOf(reading, first, closing);
  stream.once('close', () => options.signal?.removeEventListener('abort', onAbort));
  endOnAbort(stream, options.signal);
  return stream;
}

async function request(
  { client, location }: S3Bucket,
  key: string,
  part: { readonly signal: AbortSignal; readonly from?: number; readonly etag?: string | undefined },
): Promise<GetObjectCommandOutput> {
  const { signal, from = 0, etag } = part;
  const command = new GetObjectCommand({
    Bucket: location.bucket,
    Key: location.root + key,
    ...(from === 0 ? {} : { Range: `bytes=${from}-` }),
    ...(etag === undefined ? {} : { IfMatch: etag }),
  });
  return s3Request('read', `get ${key}`, async () => client.send(command, { abortSignal: signal }));
}

/** Not a generator: one that was never read would not end its request when the stream is destroyed. */
function streamOf(reading: Reading, first: GetObjectCommandOutput, closing: AbortController): Readable {
  let body: Body | undefined = bodyOf(first);
  let offset = 0;
  let cuts = 0;

  const nextChunk = async (): Promise<Uint8Array | null> => {
    body ??= await openRest(reading, offset);
    const item = await body.next(reading.bucket.timeoutMs);
    if (item.done === true && offset === reading.sizeBytes) return null;
    if (item.done === true) throw short(reading, offset);
    cuts = 0;
    offset += item.value.byteLength;
    if (offset > reading.sizeBytes) throw long(reading);
    return item.value;
  };
  const readNext = async (): Promise<Uint8Array | null> => {
    for (;;) {
      try {
        return await nextChunk();
      } catch (error) {
        body?.destroy();
        body = undefined;
        const failure = explain(reading, offset, error);
        cuts += 1;
        const isFinal = failure.rule.retry !== 'transient' || failure.details['replaced'] === true;
        if (isFinal || closing.signal.aborted || cuts > MAX_CUTS || offset >= reading.sizeBytes) throw failure;
        await delay(FIRST_PAUSE_MS * 2 ** (cuts - 1), undefined, { signal: closing.signal });
      }
    }
  };
  return new Readable({
    highWaterMark: READ_AHEAD_BYTES,
    read() {
      readNext().then(
        (chunk) => this.push(chunk),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      closing.abort(new Error('nobody reads any more'));
      body?.destroy();
      callback(error);
    },
  });
}

async function openRest(reading: Reading, from: number): Promise<Body> {
  const { bucket, key, etag, closed } = reading;
  const answer = await request(bucket, key, { signal: closed, from, etag });
  const expected = `bytes ${from}-${reading.sizeBytes - 1}/${reading.sizeBytes}`;
  if (from > 0 && answer.ContentRange !== expected) throw replaced(reading, `answers with ${answer.ContentRange}`);
  return bodyOf(answer);
}

interface Body {
  /** The next chunk; rejects when none comes for so long. */
  next(timeoutMs: number): Promise<IteratorResult<Uint8Array>>;
  destroy(): void;
}

function bodyOf({ Body: body }: GetObjectCommandOutput): Body {
  if (!(body instanceof Readable)) throw new TypeError('the body of an answer is not a stream of Node');
  const iterator: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: true });
  // Between two reads nobody listens: an error then is found by the next read.
  body.on('error', () => undefined);
  return {
    async next(timeoutMs) {
      const timer = setTimeout(() => body.destroy(new Error('nothing came for too long')), timeoutMs);
      try {
        return await iterator.next();
      } finally {
        clearTimeout(timer);
      }
    },
    destroy: () => void body.destroy(),
  };
}

/** What ends the stream when no further try helps. A cut connection is a short read, whatever the socket calls it. */
function explain(reading: Reading, offset: number, error: unknown): LifeboatError {
  if (error instanceof LifeboatError) {
    return error.code === 'STORE_KEY_EXISTS' ? replaced(reading, 'has another version now') : error;
  }
  const isWhole = offset === reading.sizeBytes;
  const code = isWhole ? 'STORE_DATA_DAMAGED' : 'STORE_READ_SHORT';
  const facts = isWhole ? 'the checksum is another one' : `ended after ${offset} of ${reading.sizeBytes} bytes`;
  const { message } = s3Error('read', 'cause', error);
  return new LifeboatError(code, `get ${reading.key}: ${facts} (${message})`, {
    cause: error,
    details: { key: reading.key },
  });
}

function short({ key, sizeBytes }: Reading, offset: number): LifeboatError {
  const facts = `ended after ${offset} of ${sizeBytes} bytes`;
  return new LifeboatError('STORE_READ_SHORT', `get ${key}: ${facts}`, { details: { key } });
}

function long({ key, sizeBytes }: Reading): LifeboatError {
  return new LifeboatError('STORE_DATA_DAMAGED', `get ${key}: more than ${sizeBytes} bytes`, { details: { key } });
}

/** Not a read to go on with: bytes of two versions would be joined. */
function replaced({ key }: Reading, facts: string): LifeboatError {
  const hint = 'was it replaced while it was read? start again';
  return new LifeboatError('STORE_READ_SHORT', `get ${key}: ${facts}`, { details: { key, replaced: true }, hint });
}
