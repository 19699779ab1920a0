import { S3Client } from '@aws-sdk/client-s3';
import type { S3Location, S3Options } from './s3-location.ts';

/** One bucket as the parts of the driver use it. */
export interface S3Bucket {
  readonly client: S3Client;
  readonly location: S3Location;
  readonly timeoutMs: number;
  /** Sent with every object that is written. */
  readonly objectLock: S3Options['objectLock'];
  /** Asked for with every object that is written; undefined where the server shall choose. */
  readonly checksumAlgorithm: 'CRC32' | undefined;
}

const CONNECTION_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 60_000;
/** With pauses that double from 0.1 s: a burst of 503 of some seconds passes unseen. */
const MAX_ATTEMPTS = 6;
/** Above what one worker's uploads need at once (data slots × parts in flight), so that none waits for a socket. */
const MAX_SOCKETS = 64;

/** @throws nothing: the first request finds out whether anything is there */
export function openBucket(location: S3Location, options: S3Options): S3Bucket {
  const { credentials, checksum = 'always', timeoutMs = IDLE_TIMEOUT_MS } = options;
  const { endpoint, forcePathStyle } = location;
  const calculation = checksum === 'always' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const sockets = { maxSockets: MAX_SOCKETS };
  const client = new S3Client({
    ...regionOf(location),
    ...(endpoint === undefined ? { followRegionRedirects: true } : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: withoutUndefined(credentials) }),
    forcePathStyle,
    maxAttempts: options.maxAttempts ?? MAX_ATTEMPTS,
    retryMode: 'standard',
    requestChecksumCalculation: calculation,
    responseChecksumValidation: calculation,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      // Inactivity, not duration: a slow line may take as long as it needs.
      socketTimeout: timeoutMs,
      httpAgent: sockets,
      httpsAgent: sockets,
    },
  });
  const checksumAlgorithm = checksum === 'always' ? 'CRC32' : undefined;
  return { client, location, timeoutMs, objectLock: options.objectLock, checksumAlgorithm };
}

/** Other servers than AWS take any; for AWS itself the standard chain (AWS_REGION, profile) knows it where none is named. */
function regionOf({ region, endpoint }: S3Location): { region?: string } {
  if (region !== undefined) return { region };
  return endpoint === undefined ? {} : { region: 'us-east-1' };
}

function withoutUndefined({ accessKeyId, secretAccessKey, sessionToken }: NonNullable<S3Options['credentials']>): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
