import type { JournalBegin } from '../../../domain/journal.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { WriterContext } from '../../context.ts';
import { ensureEpochKey } from '../epoch-key.ts';
import { claimKey, epochName, epochPrefix, journalBeginKey, type EpochPlace } from '../journal-keys.ts';
import { createJournalWriter } from './journal-writer.ts';
import type { JournalWriter, OpenJournal } from '../journals.ts';
import { requireRepository } from '../../repository-file.ts';
import { newestEpoch } from '../list-epochs.ts';
import { signDocument } from '../signed-document.ts';

/** Rivals for one epoch at a time; each try that is lost means that another one has begun. */
const TRIES = 20;

/**
 * Takes the next number of its kind (with if-none-match: the fence), then key, `begin.json`, and an empty `open.json`. So an epoch
 * without `open.json` holds nothing, and one that died anywhere on this way only leaves a number that is not used.
 */
export async function openEpoch(context: WriterContext, request: OpenJournal): Promise<JournalWriter> {
  // An epoch in the place of a store that is away would confirm what nobody finds later.
  await requireRepository(context, 'begin a journal');
  const place = await takeNumber(context, request);
  const { compression, compressionLevel, encryption } = request.codec;
  const dataKey = encryption === 'none' ? undefined : await ensureEpochKey(context, place);
  const begin = beginOf(context, request, { place, keyCheckValue: dataKey?.checkValue ?? null });
  const beginBytes = signDocument(context.signer, begin, `journal:${epochName(begin)}\tbegin`);
  await context.store.put(journalBeginKey(place), beginBytes, { ifNoneMatch: true });
  const writer = createJournalWriter(context, {
    begin,
    beginBytes,
    codec: { compression, compressionLevel, dataKey },
  });
  await writer.commit(request.from);
  return writer;
}

async function takeNumber({ store }: WriterContext, { kind, history }: OpenJournal): Promise<EpochPlace> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const place: EpochPlace = { kind, history, epoch: (await newestEpoch(store, kind)) + 1 };
    const claim = canonicalJson({ version: 1, journal: epochPrefix(place) });
    try {
      await store.put(claimKey(kind, place.epoch), claim, { ifNoneMatch: true });
      return place;
    } catch (error) {
      if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
    }
  }
  throw new LifeboatError('JOURNAL_FENCED', `begin a ${kind} journal: ${TRIES} epochs were taken by others`);
}

function beginOf(
  context: WriterContext,
  request: OpenJournal,
  { place, keyCheckValue }: { readonly place: EpochPlace; readonly keyCheckValue: string | null },
): JournalBegin {
  const { from, continues, gap, attributes, startedAt, codec } = request;
  const { compression, compressionLevel, encryption } = codec;
  return {
    version: 1,
    repositoryId: context.id,
    group: context.group,
    ...place,
    startedAt,
    from,
    continues,
    gap,
    attributes,
    codec: { compression, compressionLevel, encryption },
    keyCheckValue,
  };
}
