import type {
  JournalBegin,
  JournalChapter,
  JournalDurable,
  JournalEntry,
  RedisStreamState,
} from '../../../domain/journal.ts';
import type { WriterContext } from '../../context.ts';
import { putOnce, sha256Of } from '../../small-object.ts';
import { chapterKey, epochName, openChapterKey } from '../journal-keys.ts';
import { signDocument } from '../signed-document.ts';

/** A chapter is sealed when it is longer: it is written again with every commit until then. */
const CHAPTER_ENTRIES = 128;
const CHAPTER_BYTES = 256 * 1024;

/** What a commit says beside its entries. */
export interface ChapterState {
  readonly durable: JournalDurable;
  readonly stream?: RedisStreamState | undefined;
  readonly closed?: string | undefined;
}

export interface ChapterWriter {
  /**
   * Names these entries, and all that an earlier call could not name. When it resolves, they are durable: in a sealed chapter
   * that never changes again, or in `open.json`. After a failure it may be called again.
   */
  write(entries: readonly JournalEntry[], state: ChapterState): Promise<void>;
}

/** The chapters of one epoch, in order: sealed ones first, then `open.json` with the number of the next. */
export function createChapterWriter(context: WriterContext, begin: JournalBegin, beginBytes: Buffer): ChapterWriter {
  const { store, signer } = context;
  let sequence = 1;
  let previousSha256 = sha256Of(beginBytes);
  let named: JournalEntry[] = [];
  /** Of a chapter that may or may not have reached the store: only these very bytes can be tried again. */
  let sealing: Buffer | undefined;

  const chapterOf = (sealed: boolean, { durable, stream, closed }: ChapterState): Buffer => {
    const { version, repositoryId, group, kind, history, epoch } = begin;
    const chapter: JournalChapter = {
      version,
      repositoryId,
      group,
      kind,
      history,
      epoch,
      sequence,
      previousSha256,
      sealed,
      entries: named,
      durable,
      ...(stream === undefined ? {} : { stream }),
      ...(closed === undefined ? {} : { closed }),
    };
    return signDocument(signer, chapter, `journal:${epochName(begin)}\tchapter:${sequence}`);
  };

  const finishSeal = async (bytes: Buffer): Promise<void> => {
    await putOnce(store, chapterKey(begin, sequence), bytes);
    previousSha256 = sha256Of(bytes);
    sequence += 1;
    named = [];
    sealing = undefined;
  };
  let waiting: JournalEntry[] = [];
  return {
    async write(entries, state) {
      waiting.push(...entries);
      if (sealing !== undefined) await finishSeal(sealing);
      named.push(...waiting);
      waiting = [];
      const bytes = chapterOf(false, state);
      const isLong = named.length >= CHAPTER_ENTRIES || bytes.length >= CHAPTER_BYTES;
      if (!isLong) {
        await store.put(openChapterKey(begin), bytes);
        return;
      }
      sealing = chapterOf(true, { ...state, closed: undefined });
      await finishSeal(sealing);
      await store.put(openChapterKey(begin), chapterOf(false, state));
    },
  };
}
