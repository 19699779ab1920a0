/**
 * The parts of the AWS Encryption SDK that we use, one package each. Their sum, `@aws-crypto/client-node`, loads the clients of KMS
 * and DynamoDB as well, and takes three times as long.
 */
export { buildDecrypt } from '@aws-crypto/decrypt-node';
export { buildEncrypt, type MessageHeader } from '@aws-crypto/encrypt-node';
export {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  MultiKeyringNode,
  type EncryptedDataKey,
  type KeyringNode,
} from '@aws-crypto/material-management-node';
export { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
export { RawRsaKeyringNode } from '@aws-crypto/raw-rsa-keyring-node';
