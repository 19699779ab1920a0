import * as z from 'zod';
import { count, duration, name, path, secret, size } from './leaf.ts';

const STORE_URL = /^(file:|s3:\/\/[^/@?\s]+([/?]|$)|memory:|\.{0,2}\/)/;

const credentials = z
  .strictObject({
    accessKey: secret().optional().describe('Access key id; without it the standard AWS environment is used'),
    secretKey: secret().optional().describe('Secret access key'),
    sessionToken: secret().optional().describe('Session token of temporary credentials'),
  })
  .prefault({});

/** Newest backups of periods. */
const periods = z.strictObject({
  hourly: count().default(0).describe('Newest backup of each of this many hours'),
  daily: count().default(0).describe('Newest backup of each of this many days'),
  weekly: count().default(0).describe('Newest backup of each of this many ISO weeks'),
  monthly: count().default(0).describe('Newest backup of each of this many months'),
  yearly: count().default(0).describe('Newest backup of each of this many years'),
});

/** Rules of one target; what is not said is as in `retention`. */
const targetRules = z
  .strictObject({
    days: count(1).optional().describe('Copies of backups younger than this stay'),
    maxBackups: count(1).optional().describe('At most this many stay, the newest'),
    minFull: count(1).optional().describe('This many newest verified full ones always stay'),
    gfs: periods.optional().describe('Kept in addition; in place of `retention.gfs` as a whole'),
    grace: duration().optional().describe('How long the objects of a removed copy stay'),
  })
  .optional()
  .describe('What `backup cleanup` keeps at this target, where that is not as in `retention`');

/** Where backups live and which copies leave the building. */
export const storageSection = z
  .strictObject({
    localPath: path().prefault('./backups').describe('Folder of the repository'),
    primary: name()
      .optional()
      .describe('One of `stores` that holds the repository instead of the folder; it must write conditionally'),
    remoteStorage: z
      .strictObject({
        enabled: z
          .boolean()
          .optional()
          .describe('Copy every backup to the target named `remote`; on when a bucket is set and this is not'),
        type: z
          .enum(['aws-s3', 's3'])
          .default('aws-s3')
          .describe('`s3` is any server that speaks the protocol, with `endpoint`'),
        bucket: z.string().min(3).max(63).optional().describe('Bucket'),
        prefix: z.string().default('').describe('Put before every key'),
        region: z.string().min(1).default('us-east-1').describe('Region'),
        endpoint: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe('URL of the server, for other servers than AWS'),
        forcePathStyle: z.boolean().default(false).describe('Bucket in the path, not in the host name'),
        credentials,
        retention: targetRules,
      })
      .prefault({}),
  })
  .prefault({});

/** Named stores, for targets of their own. */
export const storesSection = z
  .record(
    name(),
    z.strictObject({
      url: z
        .string()
        .regex(STORE_URL, 'expected file:…, s3://bucket/prefix?region=… or a path; credentials have a key of their own')
        .describe('`file:./copies`, `s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true&listing=folders`'),
      credentials,
      objectLock: z
        .strictObject({
          mode: z
            .enum(['governance', 'compliance'])
            .default('governance')
            .describe('Who may shorten it: administrators, or nobody'),
          period: duration().describe('How long an object cannot be removed'),
        })
        .optional()
        .describe('Object Lock of the store'),
      checksum: z
        .enum(['always', 'when-required'])
        .default('always')
        .describe('CRC-32 with every request of S3, or only where the protocol demands it, for servers that refuse it'),
      rateLimit: size().optional().describe('Bytes a second, at most, in each direction and in each process'),
      timeout: duration()
        .default('60s')
        .describe('A connection to S3 on which nothing moves is given up after this long'),
      retention: targetRules,
    }),
  )
  .default({})
  .describe('Stores by name; one that is named like a region serves that region');

/** Copies in other regions. */
export const crossRegionSection = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Copy every backup to the regions below'),
    regions: z
      .array(name())
      .default([])
      .describe('Regions; each is a target of that name, by default the bucket `<bucket>-<region>`'),
    replicationDelay: z
      .union([z.int().nonnegative(), duration()], 'expected seconds, or a duration such as 5m')
      .default(300)
      .describe('Seconds (or a duration) between a backup and its copies'),
  })
  .prefault({});

/** Which backups stay. */
export const retentionSection = z
  .strictObject({
    days: count(1).default(30).describe('Backups younger than this stay'),
    maxBackups: count(1).default(100).describe('At most this many stay, the newest'),
    minFull: count(1).default(1).describe('This many newest full backups always stay'),
    gfs: periods.optional().describe('Grandfather, father, son: kept in addition to the rules above'),
    grace: duration()
      .default('24h')
      .describe('How long the objects of a removed backup stay, for whoever still reads them, and for `backup hold`'),
  })
  .prefault({});

const kmsArn = (): z.ZodString =>
  z
    .string()
    .regex(
      /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[A-Za-z0-9/_-]+$/,
      'expected the ARN of a key or an alias of KMS',
    );

/** Encryption of everything that is stored. */
export const encryptionSection = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Encrypt backups'),
    algorithm: z
      .literal('aes-256-gcm', 'expected "aes-256-gcm", the only algorithm there is')
      .default('aes-256-gcm')
      .describe('Algorithm'),
    keyPath: path()
      .prefault('./config/backup-encryption.key')
      .describe('Keyring, mode 0600; make it with `lifeboat key generate`'),
    escrow: z
      .array(path())
      .max(4)
      .default([])
      .describe(
        'Public halves (PEM) of keys for which every data key is wrapped as well; their private halves are kept elsewhere',
      ),
    kms: z
      .strictObject({
        keyArn: kmsArn()
          .optional()
          .describe('Key or alias that wraps the data keys; the key file then only opens, and need not be there'),
        earlierKeyArns: z
          .array(kmsArn())
          .default([])
          .describe('Keys that go on opening what was wrapped with them; without `keyArn` the key file wraps'),
        region: z.string().min(1).optional().describe('Region of the keys, which must be that of their ARNs'),
        endpoint: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe('URL of the service, where it is not that of the region: an endpoint of a VPC'),
      })
      .optional()
      .describe('AWS KMS: keys that wrap the data keys and never leave the service; credentials of the standard chain'),
  })
  .prefault({});

/** Compression of what is stored. */
export const compressionSection = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Compress backups (zstd)'),
    level: z.int().min(1).max(9).default(6).describe('1 (fast) to 9 (small); 6 is zstd level 3'),
  })
  .prefault({});

/** Signatures under manifests. */
export const signingSection = z
  .strictObject({
    keyPath: path()
      .prefault('./config/lifeboat-signing.key')
      .describe('Ed25519 secret key that signs manifests, mode 0600'),
    trustedKeys: z
      .array(z.string().min(1))
      .default([])
      .describe('Public keys (minisign format) or their files; manifests signed by others are refused'),
  })
  .prefault({});
