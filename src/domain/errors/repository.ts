import type { ErrorTable } from './rule.ts';

/** Errors of keys: key files, data keys, signing keys. */
const KEY_ERRORS = {
  KEY_FILE_MISSING: {
    retry: 'never',
    exit: 2,
    when: 'A key file that the configuration names is not there.',
    hint: 'is the path right? `lifeboat key generate` makes a new keyring, which cannot open old backups',
  },
  KEY_FILE_EXISTS: {
    retry: 'never',
    exit: 2,
    when: 'A key would be generated over a file that exists.',
    hint: 'the file may hold the only key of old backups: move it away yourself if that is what you want',
  },
  KEY_FILE_UNSAFE: {
    retry: 'never',
    exit: 2,
    when: 'A key file belongs to another user, or group or others may read it.',
    hint: 'make it yours alone: chown it to the user that runs Lifeboat, then chmod 600',
  },
  KEY_FILE_INVALID: {
    retry: 'never',
    exit: 2,
    when: 'A key file does not hold what it should.',
    hint: 'a keyring is JSON or one 32-byte key in hex or base64; a signing key is a minisign key without a password (minisign -G -W)',
  },
  KEY_REQUIRED: {
    retry: 'never',
    exit: 2,
    when: 'A backup is encrypted, or shall be, and no keyring is configured.',
    hint: 'set BACKUP_ENCRYPTION_KEY_PATH, or encryption.keyPath in the configuration, to the key file',
  },
  KEY_MISSING: {
    retry: 'never',
    exit: 4,
    when: "The backup's wrapped data key, keys/<backup id>.json, is not in the store.",
    hint: 'bring the object back from a copy of the repository: without it nobody can decrypt this backup',
  },
  KEY_DAMAGED: {
    retry: 'never',
    exit: 4,
    when: "The backup's wrapped data key is altered, or belongs to another backup.",
    hint: 'bring keys/<backup id>.json back from a copy of the repository',
  },
  KEY_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'No key of the keyring opens the data key, or the one that it opens is not the one of the manifest.',
    hint: 'which key was configured when the backup was made? keys/<backup id>.json names its id',
  },
} as const satisfies ErrorTable;

/** Errors of manifests: what is in a backup, who says so, in what order. */
const MANIFEST_ERRORS = {
  MANIFEST_INVALID: {
    retry: 'never',
    exit: 4,
    when: 'A manifest cannot be read: not JSON, not of the documented shape, or not of this backup.',
    hint: 'bring manifest.json back from a copy of the repository',
  },
  MANIFEST_FORMAT_UNSUPPORTED: {
    retry: 'never',
    exit: 2,
    when: 'A manifest was written by a newer version of Lifeboat.',
    hint: 'read it with a version at least as new as the one that wrote it',
  },
  MANIFEST_SIGNATURE_INVALID: {
    retry: 'never',
    exit: 4,
    when: 'A manifest is altered, unsigned, or signed by a key that is not trusted.',
    hint: 'did the signing key change? Then add its public key to the trusted ones; else take a copy of the repository',
  },
  MANIFEST_FOREIGN: {
    retry: 'never',
    exit: 4,
    when: 'A manifest belongs to another repository or group.',
    hint: 'were objects copied between repositories by hand?',
  },
  MANIFEST_CONFLICT: {
    retry: 'never',
    exit: 1,
    when: 'The backup was published already, with other content.',
    hint: 'two runs published one backup id: look at `lifeboat backup show ID`',
  },
  MANIFEST_CHAIN_BROKEN: {
    retry: 'never',
    exit: 4,
    when: 'A manifest that a later one names is missing or was replaced.',
    hint: 'was a backup removed by hand or by an attacker? Compare with a copy of the repository',
  },
} as const satisfies ErrorTable;

/** Errors of stored objects; `verify` reports them by the same codes. */
const OBJECT_ERRORS = {
  OBJECT_MISSING: {
    retry: 'never',
    exit: 4,
    when: 'An object that a backup is made of is not in the store.',
    hint: 'restore from a copy or an older backup; look for who removed it',
  },
  OBJECT_SIZE_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'An object is longer or shorter than its manifest says.',
    hint: 'the object was cut, extended or replaced: restore from a copy or an older backup',
  },
  OBJECT_DIGEST_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'An object has the right size but other bytes than were written.',
    hint: 'check the disk; restore from a copy or an older backup',
  },
  OBJECT_MISPLACED: {
    retry: 'never',
    exit: 4,
    when: 'An encrypted object is genuine, but was made for another place.',
    hint: 'were objects renamed, swapped or copied by hand?',
  },
  OBJECT_DAMAGED: {
    retry: 'never',
    exit: 4,
    when: 'An object does not decrypt or decompress, or gives other data than its manifest says.',
    hint: 'restore from a copy or an older backup, and verify the others',
  },
  OBJECT_UNEXPECTED: {
    retry: 'never',
    exit: 4,
    when: 'There is an object under a published backup that does not belong to it. It is never read.',
    hint: 'who can write to the store? Remove the object once you know',
  },
} as const satisfies ErrorTable;

/** Errors of the `repository` and `encryption` folders. */
export const REPOSITORY_ERRORS = {
  ...KEY_ERRORS,
  ...MANIFEST_ERRORS,
  ...OBJECT_ERRORS,
  REPOSITORY_MISSING: {
    retry: 'after',
    exit: 5,
    when: 'There is no repository at the location: lifeboat.json is missing.',
    hint: 'is the path right and the file system mounted? The first backup makes the repository',
  },
  REPOSITORY_INVALID: {
    retry: 'never',
    exit: 4,
    when: 'lifeboat.json cannot be read.',
    hint: 'bring lifeboat.json back from a copy: it holds the repository id that every manifest names',
  },
  REPOSITORY_FORMAT_UNSUPPORTED: {
    retry: 'never',
    exit: 2,
    when: 'The repository was made by a newer version of Lifeboat.',
    hint: 'use a version at least as new as the one that made it',
  },
  REPOSITORY_GROUP_MISMATCH: {
    retry: 'never',
    exit: 2,
    when: 'The repository holds the backups of another recovery group.',
    hint: 'give each group a store of its own, or set `group` to the name in lifeboat.json',
  },
  BACKUP_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'There is no published backup with this id, or none at all.',
    hint: 'list what there is with `lifeboat backup list`',
  },
  BACKUP_ID_TAKEN: {
    retry: 'transient',
    exit: 6,
    when: 'All ids for a second after the start time belong to other backups.',
    hint: 'start the backup again',
  },
  BACKUP_NOT_BEGUN: {
    retry: 'never',
    exit: 1,
    when: 'Something shall be written into a backup that was never begun, or that was discarded.',
    hint: 'was the backup cancelled while a worker still wrote?',
  },
  BACKUP_CHAIN_BROKEN: {
    retry: 'never',
    exit: 4,
    when: 'A backup that an incremental one stands on is missing or damaged, and the journal does not hold the WAL to do without it.',
    hint: 'see what it stands on with `lifeboat backup show ID`; take a full backup now, and restore another moment',
  },
  BACKUP_PUBLISHED: {
    retry: 'never',
    exit: 1,
    when: 'A published backup would be discarded as if it were an unfinished one.',
    hint: 'remove backups with `lifeboat backup cleanup`',
  },
  BACKUP_NOT_REMOVED: {
    retry: 'never',
    exit: 1,
    when: 'The objects of a backup would be removed, and no trusted record says that retention removed it.',
    hint: 'run `lifeboat backup cleanup` again; a defect in Lifeboat where that does not help',
  },
  BACKUP_STILL_NEEDED: {
    retry: 'never',
    exit: 1,
    when: 'A backup that another one stands on, or that is held, would be removed. Nothing was.',
    hint: 'run `lifeboat backup cleanup` again: the list of backups changed under it',
  },
  BACKUP_CODEC_MISMATCH: {
    retry: 'never',
    exit: 1,
    when: 'An artifact or a manifest asks for other compression or encryption than its backup began with.',
    hint: 'did the configuration change between two attempts? Start a new backup',
  },
  RECORD_DAMAGED: {
    retry: 'never',
    exit: 4,
    when: 'The record of a hold or of a removal is altered, in a wrong place, or signed by no trusted key. It holds, and removes nothing.',
    hint: 'who can write to the store? Is the signing key configured, and its public key trusted? Remove the record once you know',
  },
  COMPONENT_INDEX_INVALID: {
    retry: 'never',
    exit: 4,
    when: "A component's index is not the one that was written, or does not fit its backup.",
    hint: 'take a new backup: this one was never published',
  },
  ARTIFACT_INVALID: {
    retry: 'never',
    exit: 1,
    when: 'An artifact has a name that is not `[a-z0-9-]+`, or an attempt number below 1.',
    hint: 'a defect in Lifeboat: report it with the command that showed it',
  },
  ARTIFACT_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'The backup holds no such component or artifact.',
    hint: 'see what it holds with `lifeboat backup show ID`',
  },
} as const satisfies ErrorTable;
