import type { Config } from '../config/schema/config.ts';
import type { KmsPlaces } from '../encryption/kms-keys.ts';

/** The keys of AWS KMS that a configuration names; undefined for none. */
export function kmsPlaces({ kms }: Config['encryption']): KmsPlaces | undefined {
  if (kms === undefined) return undefined;
  const { keyArn, earlierKeyArns, region, endpoint } = kms;
  return { keyArn, earlierKeyArns, region, endpoint };
}
