import { DeleteObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import type { S3Bucket } from './s3-client.ts';
import { s3Request } from './s3-errors.ts';

/**
 * In a bucket with versions this puts a marker over the object; the version stays until a rule of the bucket removes it. Some servers
 * lock without versions: there a locked object is not removed. @throws LifeboatError STORE_LOCKED
 */
export async function removeObject(bucket: S3Bucket, key: string): Promise<void> {
  const { client, location } = bucket;
  const command = new DeleteObjectCommand({ Bucket: location.bucket, Key: location.root + key });
  try {
    await s3Request('write', `remove ${key}`, async () => client.send(command));
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error;
    // Most servers answer that it is removed; some say that it was not there.
    if (error.code === 'STORE_KEY_MISSING') return;
    throw error.code === 'STORE_READ_ONLY' ? await explain(bucket, key, error) : error;
  }
}

/** The answer is the same as where rights are missing: only the object says that it is locked. */
async function explain({ client, location }: S3Bucket, key: string, refusal: LifeboatError): Promise<LifeboatError> {
  const command = new HeadObjectCommand({ Bucket: location.bucket, Key: location.root + key });
  // Who may not look at it either is told about the rights.
  const found = await client.send(command).catch(() => undefined);
  const until = found && lockedUntil(found);
  if (until === undefined) return refusal;
  return new LifeboatError('STORE_LOCKED', `remove ${key}: locked${until === null ? '' : ` until ${until}`}`, {
    cause: refusal,
    details: { ...refusal.details, until },
  });
}

/** ISO 8601; null for a legal hold, which has no end; undefined without a lock. */
function lockedUntil(found: HeadObjectCommandOutput): string | null | undefined {
  if (found.ObjectLockLegalHoldStatus === 'ON') return null;
  const until = found.ObjectLockRetainUntilDate;
  return until !== undefined && until.getTime() > Date.now() ? until.toISOString() : undefined;
}
