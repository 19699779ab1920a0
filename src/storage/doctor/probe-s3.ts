import {
  CreateMultipartUploadCommand,
  GetBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import { createS3Store } from '../s3-store.ts';
import { openBucket, type S3Bucket } from '../s3/s3-client.ts';
import { s3Request } from '../s3/s3-errors.ts';
import { parseS3Url, type S3Options } from '../s3/s3-location.ts';
import { listUploads, removeUploads } from '../s3/s3-uploads.ts';
import { pass, type Probe, type ProbeAnswer, skip, withProbeKeys } from './probe.ts';
import { probeLock } from './probe-lock.ts';

/** CRC-32 of nothing: no object with a byte has it here. */
const WRONG_CRC32 = 'AAAAAA==';

/** What only servers that speak S3 are asked. @throws LifeboatError STORE_URL_INVALID */
export function s3Probes(url: string, options: S3Options): readonly Probe[] {
  const bucket = openBucket(parseS3Url(url), options);
  return [
    { name: 'checksums', run: async () => probeChecksums(bucket, createS3Store(url, options)) },
    { name: 'unfinished uploads', run: async () => probeUploads(bucket) },
    { name: 'wrong key', run: async () => probeWrongKey(bucket, url, options) },
    { name: 'versions', run: async () => probeVersions(bucket) },
    { name: 'object lock', run: async () => probeLock(bucket) },
  ];
}

async function probeChecksums(bucket: S3Bucket, store: ReturnType<typeof createS3Store>): Promise<ProbeAnswer> {
  if (bucket.checksumAlgorithm === undefined)
    return skip('none are sent: checksum is when-required', 'set it to always where the server takes them');
  return withProbeKeys(store, async (prefix) => {
    const command = new PutObjectCommand({
      Bucket: bucket.location.bucket,
      Key: `${bucket.location.root}${prefix}damaged`,
      Body: Buffer.from('these bytes have another checksum'),
      ChecksumAlgorithm: 'CRC32',
      ChecksumCRC32: WRONG_CRC32,
    });
    const refusal = await refusalOf(async () => bucket.client.send(command));
    if (refusal !== undefined)
      return pass(`bytes with a wrong CRC-32 are refused (${String(refusal.details['protocolCode'])})`);
    throw new LifeboatError('STORE_UNSUPPORTED', `put into ${store.url}: bytes with a wrong checksum were taken`, {
      hint: 'damage on the way is found only when a backup is verified: verify each backup after it was made',
    });
  });
}

async function probeUploads(bucket: S3Bucket): Promise<ProbeAnswer> {
  const { client, location } = bucket;
  const key = `probe/unfinished-${Date.now()}`;
  const place = { Bucket: location.bucket, Key: location.root + key };
  await s3Request('write', 'begin an upload', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
    await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: Buffer.from('half') }));
  });
  let found = 0;
  for await (const upload of listUploads(bucket, key)) if (upload.key === key) found += 1;
  const removed = await removeUploads(bucket, key, 0);
  if (found === 1 && removed === 1) return pass('found and removed: a killed worker leaves nothing that is paid for');
  throw new LifeboatError(
    'STORE_UNSUPPORTED',
    `list uploads of ${location.url}: ${found} found, ${removed} removed, of 1`,
    {
      hint: 'parts of interrupted uploads stay: add a rule to the bucket that aborts incomplete uploads after some days',
    },
  );
}

/** The same key id with another secret: a server that lets it in checks nothing. */
async function probeWrongKey(bucket: S3Bucket, url: string, options: S3Options): Promise<ProbeAnswer> {
  const { accessKeyId, secretAccessKey } = await s3Request('read', 'find credentials', async () =>
    bucket.client.config.credentials(),
  );
  const credentials = { accessKeyId, secretAccessKey: `${secretAccessKey.slice(0, -1)}-` };
  const wrong = openBucket(parseS3Url(url), { ...options, credentials });
  const refusal = await refusalOf(async () =>
    wrong.client.send(new GetBucketVersioningCommand({ Bucket: wrong.location.bucket })),
  );
  if (refusal !== undefined) return pass(`a wrong secret is refused (${refusal.code})`);
  throw new LifeboatError('STORE_UNSUPPORTED', `open ${bucket.location.url}: a wrong secret was let in`, {
    hint: 'the server checks no signatures: whoever reaches it can change and remove backups; set up its users',
  });
}

async function probeVersions({ client, location }: S3Bucket): Promise<ProbeAnswer> {
  const { Status } = await s3Request('read', 'look at versions', async () =>
    client.send(new GetBucketVersioningCommand({ Bucket: location.bucket })),
  );
  if (Status !== 'Enabled') return pass('off: what is removed is gone');
  return pass('on: what is removed or overwritten stays as an old version until a rule of the bucket removes it');
}

/** Undefined where it was done. What is not an answer of the server is thrown: it says nothing about it. */
async function refusalOf(call: () => Promise<unknown>): Promise<LifeboatError | undefined> {
  try {
    await s3Request('write', 'probe', call);
    return undefined;
  } catch (error) {
    const isAnswer = error instanceof LifeboatError && Number(error.details['status']) >= 400 && error.rule.exit !== 7;
    if (isAnswer) return error;
    throw error;
  }
}
