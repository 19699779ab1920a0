import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import type { S3Bucket } from './s3-client.ts';
import { s3Error, s3Request } from './s3-errors.ts';
import { type Part, type PartMemory, PARTS_IN_FLIGHT } from './s3-parts.ts';

export interface Upload {
  readonly bucket: S3Bucket;
  readonly key: string;
  /** What goes with the object; also the condition of the request that completes it. */
  readonly params: Omit<PutObjectCommandInput, 'Body'>;
  readonly memory: PartMemory;
  /** Ends the parts under way and the reading of more: the first failure, or the caller. */
  readonly stop: AbortController;
}

/** An upload of which all parts are in the store, and that nobody sees yet. */
export interface UploadedParts {
  complete(): Promise<void>;
  /** Removes the parts. Gives why they stay, where they do. */
  abort(): Promise<LifeboatError | undefined>;
}

/**
 * Sends parts, some at once. When one fails the others are ended and waited for before the upload is aborted: a part that
 * arrived behind that would stay for ever. Rejects with the first failure.
 */
export async function uploadParts(upload: Upload, parts: AsyncIterable<Part>): Promise<UploadedParts> {
  const { bucket, key, params } = upload;
  // Runs to its end also when it is cancelled, or an upload would stay whose id nobody knows.
  const { UploadId } = await s3Request('write', `put ${key}`, async () =>
    bucket.client.send(new CreateMultipartUploadCommand(params)),
  );
  const place = { Bucket: params.Bucket, Key: params.Key, UploadId };
  const abort = async (): Promise<LifeboatError | undefined> => abortUpload(bucket, place);
  const sent = await sendAll(upload, { place, parts }).catch(async (failure: unknown) => {
    throw withLeftParts(failure, await abort());
  });
  return {
    async complete() {
      const { IfNoneMatch, IfMatch } = params;
      const condition = { ...(IfNoneMatch && { IfNoneMatch }), ...(IfMatch && { IfMatch }) };
      const command = new CompleteMultipartUploadCommand({ ...place, ...condition, MultipartUpload: { Parts: sent } });
      await bucket.client.send(command, { abortSignal: upload.stop.signal });
    },
    abort,
  };
}

interface Place {
  readonly Bucket: string | undefined;
  readonly Key: string | undefined;
  readonly UploadId: string | undefined;
}

async function sendAll(
  upload: Upload,
  { place, parts }: { readonly place: Place; readonly parts: AsyncIterable<Part> },
): Promise<CompletedPart[]> {
  const sent: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const fail = (error: unknown): void => {
    failures.push(error);
    upload.stop.abort(error);
  };
  const send = async (part: Part): Promise<void> => {
    try {
      sent.push(await sendPart(upload, place, part));
    } catch (error) {
      fail(error);
    }
  };
  try {
    for await (const part of parts) {
      const sending = send(part).finally(() => underWay.delete(sending));
      underWay.add(sending);
      if (underWay.size >= PARTS_IN_FLIGHT) await Promise.race(underWay);
      if (failures.length > 0) break;
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw failures[0];
  return sent.toSorted((a, b) => Number(a.PartNumber) - Number(b.PartNumber));
}

async function sendPart({ bucket, key, memory, stop }: Upload, place: Place, part: Part): Promise<CompletedPart> {
  const { client, checksumAlgorithm } = bucket;
  const command = new UploadPartCommand({
    ...place,
    PartNumber: part.number,
    Body: part.bytes,
    ...(checksumAlgorithm === undefined ? {} : { ChecksumAlgorithm: checksumAlgorithm }),
  });
  const { ETag, ChecksumCRC32 } = await s3Request('write', `put ${key}, part ${part.number}`, async () =>
    client.send(command, { abortSignal: stop.signal }),
  );
  memory.giveBack(part);
  return { PartNumber: part.number, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) };
}

async function abortUpload({ client }: S3Bucket, place: Place): Promise<LifeboatError | undefined> {
  try {
    await client.send(new AbortMultipartUploadCommand(place));
    return undefined;
  } catch (cause) {
    const error = s3Error('write', 'abort the upload', cause);
    // What is gone already has left nothing.
    return error.details['protocolCode'] === 'NoSuchUpload' ? undefined : error;
  }
}

/** The failure, and that it left something. What is not ours (the producer's own error, an abort) stays as it is. */
export function withLeftParts(failure: unknown, left: LifeboatError | undefined): unknown {
  if (left === undefined || !(failure instanceof LifeboatError)) return failure;
  const { code, message, details, hint } = failure;
  const facts = `${message}; its parts stay until leftovers are removed: ${left.message}`;
  return new LifeboatError(code, facts, { cause: failure, details, hint });
}
