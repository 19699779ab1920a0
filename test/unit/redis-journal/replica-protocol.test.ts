import fc from 'fast-check';
import { ReplicaProtocol } from '../../../src/redis/journal/follow/replica-protocol.ts';
import { caught } from '../../support/caught.ts';
import { runs } from '../../support/property-runs.ts';

const SEED = 20_260_117;
const ID = 'a'.repeat(40);
const MARK = '0123456789'.repeat(4);
const RDB = Buffer.concat([Buffer.from('REDIS0010'), Buffer.from(MARK.slice(0, 39)), Buffer.alloc(500, 10)]);
const STREAM = Buffer.from('*1\r\n$4\r\nPING\r\n');

/** What is told for bytes that come in pieces ending at these places. */
function read(bytes: Buffer, cuts: readonly number[]) {
  const told = { answers: [] as unknown[], snapshot: Buffer.alloc(0), ends: 0, stream: Buffer.alloc(0) };
  const protocol = new ReplicaProtocol('test', {
    onAnswer: (answer) => told.answers.push(answer),
    onSnapshot: (part) => (told.snapshot = Buffer.concat([told.snapshot, part])),
    onSnapshotEnd: () => (told.ends += 1),
    onStream: (part) => (told.stream = Buffer.concat([told.stream, part])),
  });
  const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
  for (const [index, end] of places.slice(1).entries()) protocol.push(bytes.subarray(places[index], end));
  return told;
}

const cuts = fc.array(fc.nat(700), { maxLength: 10 });

describe('what a server sends behind PSYNC', () => {
  test('is taken apart the same in any pieces: a snapshot of known length and the stream at its heels', () => {
    const bytes = Buffer.concat([Buffer.from(`\n\n+FULLRESYNC ${ID} 77\r\n\n\n$${RDB.length}\r\n`), RDB, STREAM]);
    fc.assert(
      fc.property(cuts, (places) => {
        expect(read(bytes, places)).toEqual({
          answers: [{ kind: 'full', replid: ID, offset: 77 }],
          snapshot: RDB,
          ends: 1,
          stream: STREAM,
        });
      }),
      { seed: SEED, numRuns: runs(100) },
    );
  });

  test('and a snapshot up to its mark, which may come in two reads', () => {
    const bytes = Buffer.concat([Buffer.from(`+FULLRESYNC ${ID} 77\r\n\n$EOF:${MARK}\r\n`), RDB, Buffer.from(MARK)]);
    fc.assert(
      fc.property(cuts, (places) => {
        const { snapshot, ends, stream } = read(bytes, places);
        expect([snapshot.equals(RDB), ends, stream.length]).toEqual([true, 1, 0]);
      }),
      { seed: SEED, numRuns: runs(100) },
    );
  });

  test('or the stream at once', () => {
    const bytes = Buffer.concat([Buffer.from(`+CONTINUE ${ID}\r\n`), STREAM]);
    expect(read(bytes, [3])).toMatchObject({ answers: [{ kind: 'continue', replid: ID }], stream: STREAM });
    expect(read(Buffer.from('+CONTINUE\r\n'), []).answers).toEqual([{ kind: 'continue', replid: undefined }]);
  });

  test.each([
    ["-NOMASTERLINK Can't SYNC while not connected with my master\r\n", 'REDIS_NOT_READY'],
    ["-ERR unknown command 'PSYNC'\r\n", 'REDIS_REPLICATION_REFUSED'],
    ['-NOPERM this user has no permissions\r\n', 'REDIS_REPLICATION_REFUSED'],
    ['+OK\r\n', 'REDIS_PROTOCOL_ERROR'],
    [`+FULLRESYNC ${ID} 1\r\n+HELLO\r\n`, 'REDIS_PROTOCOL_ERROR'],
    [`+FULLRESYNC ${ID} 1\r\n-ERR BGSAVE failed\r\n`, 'REDIS_NOT_READY'],
  ])('refusals have a name: %s', async (text, code) => {
    expect((await caught(() => read(Buffer.from(text), []))).code).toBe(code);
  });
});
