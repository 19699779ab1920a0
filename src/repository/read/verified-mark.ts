import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Manifest } from '../../domain/backup.ts';
import { objectsOf } from '../backup/backup-contents.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import { openTrusted, signDocument } from '../journals/signed-document.ts';
import { verifiedPrefix } from '../layout.ts';
import { readSmallObject, sha256Of } from '../small-object.ts';

/**
 * The ledger of verifications: one signed object for each time that a backup was read back, never changed. The manifest that it names
 * by digest names every object with its digest; so it says what was read, when, in which store, and what was found.
 */
const ENTRY = z.looseObject({
  version: z.literal(1),
  repositoryId: z.string(),
  backupId: z.string(),
  manifestSha256: z.string(),
  /** URL of the store that was read, without secrets. */
  store: z.string(),
  startedAt: z.iso.datetime(),
  verifiedAt: z.iso.datetime(),
  objects: z.number().int().nonnegative(),
  storedBytes: z.number().int().nonnegative(),
  problems: z.number().int().nonnegative(),
});
type Entry = z.infer<typeof ENTRY>;

/** Entries that are looked at for one that counts: behind so many that do not, something else is wrong. */
const LOOKS = 20;

export interface Verified {
  readonly manifest: Manifest;
  readonly bytes: Buffer;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly problems: number;
}

/** Adds to the ledger. The name begins with the time, so that names sort by it; the rest keeps two at one moment apart. */
export async function recordVerification(context: WriterContext, verified: Verified): Promise<void> {
  const { manifest, bytes, startedAt, problems } = verified;
  const objects = objectsOf(manifest);
  const entry: Entry = {
    version: 1,
    repositoryId: context.id,
    backupId: manifest.id,
    manifestSha256: sha256Of(bytes),
    store: context.store.url,
    startedAt,
    verifiedAt: new Date().toISOString(),
    objects: objects.length,
    storedBytes: objects.reduce((sum, { object }) => sum + object.storedBytes, 0),
    problems,
  };
  const name = `${entry.verifiedAt.replaceAll(/[:.]/g, '-')}-${randomBytes(4).toString('hex')}`;
  const document = signDocument(context.signer, entry, `verified:${manifest.id}\tat:${entry.verifiedAt}`);
  await context.store.put(`${verifiedPrefix(manifest.id)}${name}.json`, document, { ifNoneMatch: true });
}

/**
 * When this manifest's objects were last read back and found sound; null where no entry that can be trusted says so. What cannot be
 * trusted counts as never: then it is read again, and nothing is lost but time.
 */
export async function readVerifiedAt(
  context: RepositoryContext,
  backupId: string,
  manifest: Buffer,
): Promise<string | null> {
  const keys: string[] = [];
  for await (const { key } of context.store.list(verifiedPrefix(backupId))) keys.push(key);
  const manifestSha256 = sha256Of(manifest);
  for (const key of keys.toReversed().slice(0, LOOKS)) {
    const entry = await readEntry(context, key);
    const isOfThis = entry?.backupId === backupId && entry.manifestSha256 === manifestSha256;
    if (isOfThis && entry.repositoryId === context.id && entry.problems === 0) return entry.verifiedAt;
  }
  return null;
}

async function readEntry(context: RepositoryContext, key: string): Promise<Entry | undefined> {
  const bytes = await readSmallObject(context.store, key);
  return bytes && openTrusted(context, { key, bytes, shape: ENTRY });
}
