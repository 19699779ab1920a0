/** What keys of AWS KMS take beyond esdk-library.ts: loaded only by who has such a key. */
export { AwsKmsMrkAwareSymmetricKeyringNode } from '@aws-crypto/kms-keyring-node';
export { KMS } from '@aws-sdk/client-kms';
