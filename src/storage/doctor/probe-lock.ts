import {
  DeleteObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { LifeboatError } from '../../domain/errors.ts';
import type { S3Bucket } from '../s3/s3-client.ts';
import { s3Error, s3Request } from '../s3/s3-errors.ts';
import { pass, type ProbeAnswer, skip } from './probe.ts';

/** As short as it can be: the probe's own object stays for so long where its lock cannot be lifted. */
const LOCK_MS = 20_000;

/** Whether a locked object really stays. Only a try can tell: servers take the settings and do not keep them. */
export async function probeLock(bucket: S3Bucket): Promise<ProbeAnswer> {
  const isWanted = bucket.objectLock !== undefined;
  if (!(await isEnabled(bucket))) {
    if (!isWanted)
      return skip('off: whoever may delete can remove backups at any time', 'see docs/guides/s3.md, Object Lock');
    throw new LifeboatError(
      'STORE_UNSUPPORTED',
      `lock objects in ${bucket.location.url}: the bucket has no Object Lock`,
      {
        hint: 'it is decided when a bucket is made: make a new one with Object Lock, or take objectLock out of the store',
      },
    );
  }
  const place = { Bucket: bucket.location.bucket, Key: `${bucket.location.root}probe/locked-${Date.now()}` };
  const versionId = await putLocked(bucket, place);
  const isRemoved = await removeVersion(bucket, { ...place, VersionId: versionId });
  if (isRemoved) {
    throw new LifeboatError(
      'STORE_UNSUPPORTED',
      `lock objects in ${bucket.location.url}: a locked version was removed`,
      {
        hint: 'the server does not keep its locks: do not rely on them, and restrict who may delete',
      },
    );
  }
  const isLifted = await removeVersion(bucket, { ...place, VersionId: versionId, BypassGovernanceRetention: true });
  await hide(bucket, place, isLifted);
  const who = isLifted
    ? 'these credentials may lift it (s3:BypassGovernanceRetention)'
    : 'these credentials cannot lift it';
  return pass(
    `a locked version cannot be removed; ${who}${isWanted ? '' : '; the store does not use it (objectLock)'}`,
  );
}

async function isEnabled({ client, location }: S3Bucket): Promise<boolean> {
  try {
    const answer = await client.send(new GetObjectLockConfigurationCommand({ Bucket: location.bucket }));
    return answer.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
  } catch (cause) {
    const error = s3Error('read', 'look at object lock', cause);
    // What has no lock has no configuration of it: 404, or 501 where the server knows nothing of it.
    if (['STORE_KEY_MISSING', 'STORE_UNSUPPORTED'].includes(error.code)) return false;
    throw error;
  }
}

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

async function putLocked({ client }: S3Bucket, place: Place): Promise<string> {
  const command = new PutObjectCommand({
    ...place,
    Body: Buffer.from('locked for a moment, to see that it stays'),
    ChecksumAlgorithm: 'CRC32',
    ObjectLockMode: 'GOVERNANCE',
    ObjectLockRetainUntilDate: new Date(Date.now() + LOCK_MS),
  });
  const { VersionId } = await s3Request('write', 'put a locked object', async () => client.send(command));
  return VersionId ?? (await newestVersion(client, place));
}

async function newestVersion(client: S3Bucket['client'], { Bucket, Key }: Place): Promise<string> {
  const { Versions = [] } = await s3Request('read', 'list versions', async () =>
    client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key })),
  );
  return Versions[0]?.VersionId ?? 'null';
}

async function removeVersion(
  { client }: S3Bucket,
  what: Place & { readonly VersionId: string; readonly BypassGovernanceRetention?: true },
): Promise<boolean> {
  try {
    await client.send(new DeleteObjectCommand(what));
    return true;
  } catch (cause) {
    const error = s3Error('write', 'remove a locked version', cause);
    if (error.code === 'STORE_READ_ONLY' || error.code === 'STORE_REQUEST_REFUSED') return false;
    throw error;
  }
}

/** A marker over what could not be removed: lists do not show it, and a rule of the bucket removes it when its lock is over. */
async function hide({ client }: S3Bucket, place: Place, isLifted: boolean): Promise<void> {
  if (isLifted) return;
  try {
    await s3Request('write', 'hide the locked object', async () => client.send(new DeleteObjectCommand(place)));
  } catch (cause) {
    if (!(cause instanceof LifeboatError && cause.code === 'STORE_READ_ONLY')) throw cause;
    throw new LifeboatError('STORE_UNSUPPORTED', 'hide a locked object: refused, as the bucket has no versions', {
      cause,
      hint: 'a locked object cannot be replaced there, and journals and keys are: switch versions of the bucket on, or take objectLock out of the store',
    });
  }
}
