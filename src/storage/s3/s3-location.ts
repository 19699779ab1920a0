import { LifeboatError } from '../../domain/errors.ts';

/** What an S3 store needs beside its URL; all of it from the configuration, none of it in the URL, which is printed. */
export interface S3Options {
  /** Without it the standard AWS chain: environment, shared file, SSO, web identity, container, instance. */
  readonly credentials?: S3Credentials | undefined;
  /** Every object is locked from its write on, for that long. The bucket must have been made with Object Lock. */
  readonly objectLock?: { readonly mode: 'governance' | 'compliance'; readonly periodMs: number } | undefined;
  /** `always` (CRC-32 with each request) is right for AWS and most others; `when-required` for servers that refuse it. */
  readonly checksum?: 'always' | 'when-required' | undefined;
  /** A connection on which nothing moves for so long is given up; default 60 s. */
  readonly timeoutMs?: number | undefined;
  /** Times that a request is sent before its error is reported; default 6. */
  readonly maxAttempts?: number | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Where an S3 store is: the parts of its URL. */
export interface S3Location {
  readonly bucket: string;
  /** Put before every key; empty, or ends in `/`. */
  readonly root: string;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly forcePathStyle: boolean;
  /** `folders` for servers that list folder by folder, not in the order of keys: one request for each folder. */
  readonly listing: 'flat' | 'folders';
  /** `s3://bucket/prefix`: for people and reports. */
  readonly url: string;
}

const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i;
const ROOT_SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;
const PARAMETERS = ['region', 'endpoint', 'forcePathStyle', 'listing'];

/**
 * The parts of `s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true&listing=folders`. STORE_URL_INVALID for everything else; the
 * message repeats nothing that could be a secret.
 */
export function parseS3Url(text: string): S3Location {
  if (!URL.canParse(text)) throw invalid('not a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw invalid('credentials have a key of their own');
  if (!BUCKET.test(url.host)) throw invalid('the bucket is not a name of 3 to 63 letters, digits, ., _ and -');
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined || url.hash !== '') throw invalid(`only ${PARAMETERS.join(', ')} can follow the prefix`);
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  return {
    bucket: url.host,
    root: rootOf(prefix),
    region: url.searchParams.get('region') ?? undefined,
    endpoint: endpointOf(url.searchParams.get('endpoint')),
    forcePathStyle: booleanOf(url.searchParams.get('forcePathStyle')),
    listing: listingOf(url.searchParams.get('listing')),
    url: `s3://${url.host}${prefix === '' ? '' : `/${prefix}`}`,
  };
}

function rootOf(prefix: string): string {
  if (prefix === '') return '';
  if (prefix.split('/').every((segment) => ROOT_SEGMENT.test(segment))) return `${prefix}/`;
  throw invalid('the prefix is not made of segments of [A-Za-z0-9._-]+');
}

function endpointOf(text: string | null): string | undefined {
  if (text === null || text === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw invalid('endpoint is not an http or https URL');
  if (url.username !== '' || url.password !== '') throw invalid('credentials have a key of their own');
  return url.href.replace(/\/$/, '');
}

function booleanOf(text: string | null): boolean {
  if (text === null || text === 'false') return false;
  if (text === 'true' || text === '') return true;
  throw invalid('forcePathStyle is not true or false');
}

function listingOf(text: string | null): S3Location['listing'] {
  if (text === null || text === 'flat') return 'flat';
  if (text === 'folders') return 'folders';
  throw invalid('listing is not flat or folders');
}

function invalid(facts: string): LifeboatError {
  const hint = 'write s3://bucket/prefix?region=eu-central-1, with &endpoint=https://… for other servers than AWS';
  return new LifeboatError('STORE_URL_INVALID', `open s3 store: ${facts}`, { hint });
}
