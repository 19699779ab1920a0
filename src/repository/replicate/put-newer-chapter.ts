import type { JournalChapter } from '../../domain/journal.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { CHAPTER } from '../journals/journal-schema.ts';
import { openDocument } from '../journals/signed-document.ts';
import { readSmallObject } from '../small-object.ts';
import { wrongCopy } from './copy-object.ts';
import type { Copying } from './copying.ts';

/** Rivals for one `open.json`; each try that is lost means that another run has brought one. */
const TRIES = 20;

export interface OpenChapter {
  readonly key: string;
  readonly bytes: Buffer;
  readonly chapter: JournalChapter;
}

/**
 * Puts the open chapter of an epoch where the target has none or an older one. The store decides between two runs: the end of a journal
 * never goes back there.
 * @throws LifeboatError TARGET_COPY_WRONG, STORE_*
 */
export async function putNewerChapter(context: RepositoryContext, copying: Copying, open: OpenChapter): Promise<void> {
  const { to, done } = copying;
  const { key, bytes } = open;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await tryPut(context, copying, open);
    if (outcome === 'there') {
      done.present += 1;
      return;
    }
    if (outcome === 'put') break;
    if (attempt === TRIES) throw outcome;
  }
  const written = await readSmallObject(to, key);
  if (written === undefined || (!written.equals(bytes) && isNewer(context, open, written))) {
    throw wrongCopy(to, key, null);
  }
  done.copied += 1;
  done.bytes += bytes.length;
}

/** `there` where the target has it or a newer one; an error where another run was faster, and it is to be looked at again. */
async function tryPut(
  context: RepositoryContext,
  { to, operation }: Copying,
  open: OpenChapter,
): Promise<'there' | 'put' | LifeboatError> {
  const { key, bytes } = open;
  const { signal } = operation;
  signal.throwIfAborted();
  const head = await to.head(key);
  const present = head && (await readSmallObject(to, key));
  if (present !== undefined && !isNewer(context, open, present)) return 'there';
  const version = head?.version === undefined ? {} : { ifMatch: head.version };
  try {
    await to.put(key, bytes, { ...(head === undefined ? { ifNoneMatch: true } : version), signal });
    return 'put';
  } catch (error) {
    if (error instanceof LifeboatError && /^STORE_KEY_(?:EXISTS|CHANGED)$/.test(error.code)) return error;
    throw error;
  }
}

/** Whether a chapter is further than the bytes that are there. What cannot be trusted there is written over. */
function isNewer(context: RepositoryContext, { key, bytes, chapter }: OpenChapter, there: Buffer): boolean {
  if (there.equals(bytes)) return false;
  try {
    const present = chapterOf(context, key, there);
    if (present.sequence !== chapter.sequence) return present.sequence < chapter.sequence;
    return present.entries.length <= chapter.entries.length && present.durable.timeMs <= chapter.durable.timeMs;
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'JOURNAL_DAMAGED') return true;
    throw error;
  }
}

/** @throws LifeboatError JOURNAL_DAMAGED */
export function chapterOf(context: RepositoryContext, key: string, bytes: Buffer): JournalChapter {
  return openDocument<JournalChapter>(context, { key, bytes, shape: CHAPTER });
}
