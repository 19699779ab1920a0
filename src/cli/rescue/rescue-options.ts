import { value, values } from '../options.ts';

/** Options of every rescue command: the repository and its keys, and nothing else. */
export const RESCUE_OPTIONS = {
  store: value('<url>', 'the repository: a folder or a store URL'),
  key: value('<file>', 'keyring, private escrow key or ARN of a KMS key, for encrypted backups'),
  trustedKey: values('<key>', 'public key (or its file) that must have signed the manifests, repeatable'),
} as const;
