import type { KeyringNode } from './esdk-library.ts';
import type * as library from './kms-library.ts';
import { LifeboatError } from '../domain/errors.ts';
import { kmsError } from './kms-errors.ts';

/** Keys of AWS KMS, by ARN. */
export interface KmsPlaces {
  /** Of a key or an alias: wraps from now on. Undefined: the key file wraps, and the earlier ones only open. */
  readonly keyArn?: string | undefined;
  /** Of keys that open what was wrapped with them. */
  readonly earlierKeyArns: readonly string[];
  /** Must be that of the ARNs. */
  readonly region?: string | undefined;
  /** Another endpoint than that of the region, such as a VPC's. */
  readonly endpoint?: string | undefined;
}

type KmsClient = library.KMS;

/** A key that stays in the service: only requests are made with it. */
export interface KmsKey {
  /** ARN of the key, never of an alias: it is what stands in wrapped keys. */
  readonly id: string;
  readonly kms: KmsService;
}

interface KmsService {
  readonly client: KmsClient;
  /** The library's class, which comes with the client. */
  readonly Keyring: typeof library.AwsKmsMrkAwareSymmetricKeyringNode;
}

const ARN = /^arn:[a-z-]+:kms:([a-z0-9-]+):\d{12}:(key|alias)\/[A-Za-z0-9/_-]+$/;
/** A service that answers at all answers in milliseconds; with the tries below it is given up after a minute. */
const TIMEOUT = { connectionTimeout: 5_000, requestTimeout: 10_000 } as const;
const MAX_ATTEMPTS = 4;

export function isKmsArn(text: string): boolean {
  return ARN.test(text);
}

/** The keys, an alias resolved by asking the service. `active` wraps. @throws LifeboatError KMS_* */
export async function openKmsKeys(
  places: KmsPlaces,
): Promise<{ readonly active: KmsKey | undefined; readonly earlier: readonly KmsKey[] }> {
  const { keyArn, earlierKeyArns } = places;
  const active = keyArn === undefined ? undefined : await openKmsKey(keyArn, places);
  const earlier = await Promise.all(earlierKeyArns.map(async (arn) => openKmsKey(arn, places)));
  return { active, earlier: earlier.filter(({ id }) => id !== active?.id) };
}

async function openKmsKey(arn: string, { region, endpoint }: KmsPlaces): Promise<KmsKey> {
  const [, own = '', kind] = ARN.exec(arn) ?? [];
  if (own === '' || (region !== undefined && region !== own)) {
    throw new LifeboatError('KMS_REGION_WRONG', `open key ${arn}: region ${region} is asked`, { details: { arn } });
  }
  const kms = await serviceOf(own, endpoint);
  return { id: kind === 'key' ? arn : await resolveAlias(kms.client, arn), kms };
}

async function resolveAlias(kms: KmsClient, arn: string): Promise<string> {
  const doing = `look up ${arn}`;
  const found = await kms.describeKey({ KeyId: arn }).catch((error: unknown) => {
    throw kmsError(doing, error) ?? error;
  });
  const id = found.KeyMetadata?.Arn;
  if (id !== undefined && isKmsArn(id)) return id;
  throw new LifeboatError('KMS_REFUSED', `${doing}: no ARN in the answer`, { details: { arn } });
}

/** One for each place: a keyring is read again for each use, and a client keeps its connections. */
const services = new Map<string, Promise<KmsService>>();

/** Credentials come from the standard chain of AWS: environment, profile, SSO, web identity, container, instance. */
async function serviceOf(region: string, endpoint: string | undefined): Promise<KmsService> {
  const place = `${region} ${endpoint ?? ''}`;
  const opened = services.get(place) ?? openService(region, endpoint);
  services.set(place, opened);
  return opened;
}

async function openService(region: string, endpoint: string | undefined): Promise<KmsService> {
  const { AwsKmsMrkAwareSymmetricKeyringNode: Keyring, KMS } = await import('./kms-library.ts');
  const address = endpoint === undefined ? {} : { endpoint };
  const client = new KMS({ region, ...address, maxAttempts: MAX_ATTEMPTS, requestHandler: { ...TIMEOUT } });
  return { client, Keyring };
}

/** The library's keyring of one key. It gathers failures into one text; `failures` keeps them as what they are. */
export function kmsKeyringOf({ id, kms }: KmsKey, failures: LifeboatError[]): KeyringNode {
  const { client, Keyring } = kms;
  const told = async <T>(doing: string, call: Promise<T>): Promise<T> =>
    call.catch((error: unknown) => {
      const failure = kmsError(`${doing} with ${id}`, error);
      if (failure !== undefined) failures.push(failure);
      throw error;
    });
  return new Keyring({
    keyId: id,
    client: {
      encrypt: async (request) => given(await told('wrap a data key', client.encrypt(request))),
      decrypt: async (request) => given(await told('open a data key', client.decrypt(request))),
      generateDataKey: async (request) => given(await told('make a data key', client.generateDataKey(request))),
    },
  });
}

interface Answer {
  readonly KeyId?: string | undefined;
  readonly CiphertextBlob?: Uint8Array | undefined;
  readonly Plaintext?: Uint8Array | undefined;
}

/** What the library takes of an answer; it requires itself that what it needs is there. */
function given({ KeyId, CiphertextBlob, Plaintext }: Answer): {
  KeyId?: string;
  CiphertextBlob?: Uint8Array;
  Plaintext?: Uint8Array;
} {
  return {
    ...(KeyId === undefined ? {} : { KeyId }),
    ...(CiphertextBlob === undefined ? {} : { CiphertextBlob }),
    ...(Plaintext === undefined ? {} : { Plaintext }),
  };
}
