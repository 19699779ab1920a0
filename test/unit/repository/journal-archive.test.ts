import type { Repository } from '../../../src/repository/repository.ts';
import { caught } from '../../support/caught.ts';
import { ENCRYPTED, openPlace, openWriter, OPERATION, type TestPlace } from './fixture.ts';
import { lsnAt, openWal, SEGMENT_BYTES, signal, START_MS, streamBytes, SYSTEM } from './journal-fixture.ts';

let place: TestPlace;
let repository: Repository;

beforeEach(async () => {
  place = await openPlace('memory');
  repository = await openWriter(place);
});

afterEach(async () => {
  await place.remove();
});

/** A process of its own for each file, as archive_command starts them. */
async function archive(segment: number, seed = 'wal'): Promise<string> {
  const { journals } = await openWriter(place);
  const [from, to] = [segment * SEGMENT_BYTES, (segment + 1) * SEGMENT_BYTES];
  const times = { fromMs: START_MS + segment * 1000, toMs: START_MS + segment * 1000 + 999 };
  const facts = { kind: 'segment', timeline: 1, from: lsnAt(from), to: lsnAt(to), ...times } as const;
  const file = { history: SYSTEM, segmentBytes: SEGMENT_BYTES, at: lsnAt(from), facts };
  return journals.archive({ ...file, bytes: streamBytes(seed, from, to) }, { codec: ENCRYPTED, signal });
}

test('files archived one by one make a sound journal; a hole begins an epoch of its own with a named gap', async () => {
  for (const segment of [3, 4, 5, 8]) expect(await archive(segment)).toBe('kept');
  const { epochs, problems } = await repository.journals.catalog('postgres');
  expect(problems).toEqual([]);
  expect(epochs.map(({ entries }) => entries.length)).toEqual([3, 1]);
  expect(epochs[1]?.begin.gap).toMatchObject({ code: 'JOURNAL_GAP', to: { at: lsnAt(8 * SEGMENT_BYTES) } });
  expect(await repository.journals.verify('postgres', OPERATION)).toEqual([]);
});

test('the same file again is a success and kept once, another one under its name is refused, in every epoch', async () => {
  for (const segment of [3, 8]) await archive(segment);
  for (const segment of [3, 8]) {
    expect(await archive(segment)).toBe('kept-before');
    expect((await caught(() => archive(segment, 'another'))).code).toBe('JOURNAL_SEGMENT_EXISTS');
  }
  const { epochs } = await repository.journals.catalog('postgres');
  expect(epochs.map(({ entries }) => entries.length)).toEqual([1, 1]);
  expect(await repository.journals.verify('postgres', OPERATION)).toEqual([]);
});

test('a file that was lost from the middle is named', async () => {
  for (const segment of [3, 4, 5]) await archive(segment);
  const [epoch] = (await repository.journals.catalog('postgres')).epochs;
  const key = epoch?.entries[1]?.key ?? '';
  await place.store.remove(key);
  expect(await repository.journals.verify('postgres', OPERATION)).toMatchObject([{ code: 'OBJECT_MISSING', key }]);
});

test('files that go on where a journal ended some time before are no sign that it was put back', async () => {
  const writer = await openWal(repository.journals, { from: 3 * SEGMENT_BYTES, fromMs: START_MS - 60_000 });
  const durable = { timeline: 1, at: lsnAt(3 * SEGMENT_BYTES), timeMs: START_MS - 30_000 };
  await writer.commit(durable);
  for (const segment of [3, 4]) await archive(segment);
  const { epochs } = await repository.journals.catalog('postgres');
  expect(epochs.map(({ begin }) => begin.continues?.epoch ?? null)).toEqual([null, epochs[0]?.begin.epoch]);
  expect(await repository.journals.verify('postgres', OPERATION)).toEqual([]);
});
