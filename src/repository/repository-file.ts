import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { canonicalJson } from './canonical-json.ts';
import type { RepositoryContext } from './context.ts';
import { REPOSITORY_KEY } from './layout.ts';
import { parseJson, readSmallObject } from './small-object.ts';

/** `lifeboat.json`: written once, when the repository is made. */
export interface RepositoryFile {
  readonly formatVersion: 1;
  readonly repositoryId: string;
  readonly group: string;
  readonly createdAt: string;
}

const FORMAT_VERSION = 1;
const FILE = z.looseObject({
  formatVersion: z.literal(FORMAT_VERSION),
  repositoryId: z.uuid(),
  group: z.string().min(1),
  createdAt: z.iso.datetime(),
});

/** REPOSITORY_MISSING, REPOSITORY_INVALID, REPOSITORY_FORMAT_UNSUPPORTED; REPOSITORY_GROUP_MISMATCH for another group. */
export async function readRepositoryFile(store: ObjectStore, group: string | undefined): Promise<RepositoryFile> {
  const bytes = await readSmallObject(store, REPOSITORY_KEY);
  if (bytes === undefined) throw new LifeboatError('REPOSITORY_MISSING', `open repository ${store.url}: none there`);
  const value = parseJson(bytes);
  const version = z.looseObject({ formatVersion: z.number() }).safeParse(value).data?.formatVersion;
  if (version !== undefined && version > FORMAT_VERSION) {
    const facts = `format ${version}, this version reads ${FORMAT_VERSION}`;
    throw new LifeboatError('REPOSITORY_FORMAT_UNSUPPORTED', `open repository ${store.url}: ${facts}`);
  }
  const file = FILE.safeParse(value).data;
  if (file === undefined) {
    throw new LifeboatError(
      'REPOSITORY_INVALID',
      `open repository ${store.url}: ${REPOSITORY_KEY} is not as documented`,
    );
  }
  if (group !== undefined && file.group !== group) {
    const facts = `holds group ${file.group}, not ${group}`;
    throw new LifeboatError('REPOSITORY_GROUP_MISMATCH', `open repository ${store.url}: ${facts}`);
  }
  return file;
}

/**
 * What was opened may be away by now: an unmounted store lists as an empty one, and nothing must be concluded from that.
 * @throws LifeboatError REPOSITORY_MISSING
 */
export async function requireRepository(
  { store, id, group }: Pick<RepositoryContext, 'store' | 'id' | 'group'>,
  doing: string,
): Promise<void> {
  const { repositoryId } = await readRepositoryFile(store, group);
  if (repositoryId === id) return;
  throw new LifeboatError('REPOSITORY_MISSING', `${doing}: the store holds repository ${repositoryId}, not ${id}`);
}

/** Opens a repository, and makes it where there is none; of two that make it at once, both open the first one's. */
export async function ensureRepositoryFile(store: ObjectStore, group: string): Promise<RepositoryFile> {
  if ((await store.head(REPOSITORY_KEY)) === undefined) await createRepositoryFile(store, group);
  return readRepositoryFile(store, group);
}

async function createRepositoryFile(store: ObjectStore, group: string): Promise<void> {
  const file: RepositoryFile = {
    formatVersion: FORMAT_VERSION,
    repositoryId: randomUUID(),
    group,
    createdAt: new Date().toISOString(),
  };
  try {
    await store.put(REPOSITORY_KEY, canonicalJson(file), { ifNoneMatch: true });
  } catch (error) {
    // Another process was faster: its file is the one that is read next.
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
  }
}
