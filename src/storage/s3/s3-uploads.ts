import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type MultipartUpload } from '@aws-sdk/client-s3';
import type { S3Bucket } from './s3-client.ts';
import { s3Error, s3Request } from './s3-errors.ts';

/** A multipart upload that was begun and not ended. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly startedAt: Date;
}

/** Unfinished uploads below a string prefix, oldest page first. */
export async function* listUploads({ client, location }: S3Bucket, prefix: string): AsyncGenerator<UnfinishedUpload> {
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  do {
    const at = withoutUndefined(marker);
    const command = new ListMultipartUploadsCommand({ Bucket: location.bucket, Prefix: location.root + prefix, ...at });
    const page = await s3Request('read', `list uploads ${prefix}`, async () => client.send(command));
    for (const upload of page.Uploads ?? []) yield uploadOf(upload, location.root);
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
    marker = IsTruncated === true ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : undefined;
  } while (marker !== undefined);
}

function withoutUndefined(marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined }): {
  KeyMarker?: string;
  UploadIdMarker?: string;
} {
  const { KeyMarker, UploadIdMarker } = marker;
  return {
    ...(KeyMarker === undefined ? {} : { KeyMarker }),
    ...(UploadIdMarker === undefined ? {} : { UploadIdMarker }),
  };
}

function uploadOf(
  { Key = '', UploadId = '', Initiated = new Date(0) }: MultipartUpload,
  root: string,
): UnfinishedUpload {
  return { key: Key.slice(root.length), uploadId: UploadId, startedAt: Initiated };
}

/** Aborts what was begun before that long ago. With 0 everything: the store's clock may be ahead of ours. */
export async function removeUploads(bucket: S3Bucket, prefix: string, olderThanMs: number): Promise<number> {
  const latest = olderThanMs === 0 ? Number.POSITIVE_INFINITY : Date.now() - olderThanMs;
  let removed = 0;
  for await (const upload of listUploads(bucket, prefix)) {
    if (upload.startedAt.getTime() <= latest && (await abortUpload(bucket, upload))) removed += 1;
  }
  return removed;
}

/** False where it has ended meanwhile. */
async function abortUpload({ client, location }: S3Bucket, upload: UnfinishedUpload): Promise<boolean> {
  const { key, uploadId } = upload;
  try {
    const place = { Bucket: location.bucket, Key: location.root + key, UploadId: uploadId };
    await client.send(new AbortMultipartUploadCommand(place));
    return true;
  } catch (cause) {
    const error = s3Error('write', `abort the upload of ${key}`, cause);
    if (error.details['protocolCode'] === 'NoSuchUpload') return false;
    throw error;
  }
}
