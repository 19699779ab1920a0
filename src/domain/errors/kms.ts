import type { ErrorTable } from './rule.ts';

/** Errors of a key management service that holds the key which wraps the data keys. */
export const KMS_ERRORS = {
  KMS_DENIED: {
    retry: 'after',
    exit: 8,
    when: 'The key management service does not let these credentials use the key.',
    hint: 'the worker needs kms:GenerateDataKey and kms:Decrypt for the key, with an alias also kms:DescribeKey (docs/guides/keys.md)',
  },
  KMS_CREDENTIALS_REFUSED: {
    retry: 'after',
    exit: 8,
    when: 'The key management service knows no such credentials, their session is over, the clock of this host is wrong, or none were found.',
    hint: 'which credentials does this process have: AWS_ACCESS_KEY_ID, a profile, the role of its host? Is the time of the host right?',
  },
  KMS_KEY_UNKNOWN: {
    retry: 'never',
    exit: 5,
    when: 'The key management service has no key under this ARN.',
    hint: 'is the ARN right, with account and region? A key that was deleted is gone: use the escrow key (docs/guides/keys.md)',
  },
  KMS_KEY_UNUSABLE: {
    retry: 'never',
    exit: 2,
    when: 'The key is disabled, waits for its deletion, or is none that encrypts (a symmetric one).',
    hint: 'enable it, or cancel its deletion, in the key management service; nothing was lost',
  },
  KMS_REGION_WRONG: {
    retry: 'never',
    exit: 2,
    when: 'The key lies in another region than the one that is asked.',
    hint: 'take encryption.kms.region out: the ARN names the region; only one replica of a multi-Region key lies in each',
  },
  KMS_UNREACHABLE: {
    retry: 'transient',
    exit: 7,
    when: 'The key management service does not answer: no connection, no name, no valid certificate. It was tried several times.',
    hint: 'is the endpoint right and reachable from here? The operation tries again by itself; the cause names what the network said',
  },
  KMS_BUSY: {
    retry: 'transient',
    exit: 7,
    when: 'The key management service answered that it is overloaded or broken, also after several tries.',
    hint: 'the operation tries again by itself; look at the request quotas of the account if it stays',
  },
  KMS_REFUSED: {
    retry: 'never',
    exit: 1,
    when: 'The key management service refused a request for a reason of its own; the facts hold its code.',
    hint: 'look up the code in the documentation of AWS KMS; `lifeboat config validate` tries the key',
  },
  KMS_KEY_NOT_OURS: {
    retry: 'never',
    exit: 2,
    when: 'A key of a key management service would be rotated, or brought back from retirement, as if it were in the keyring file.',
    hint: 'AWS KMS rotates the material of a key by itself; another key is set in encryption.kms.keyArn, the one before in encryption.kms.earlierKeyArns',
  },
} as const satisfies ErrorTable;
