import fc from 'fast-check';
import { planPieces } from '../../../src/postgres/dump/pieces.ts';
import { batchTables } from '../../../src/postgres/facts/row-counts.ts';
import { withoutNewerSettings } from '../../../src/postgres/restore/newer-settings.ts';
import { runAll, type Task } from '../../../src/postgres/run-all.ts';
import { runs } from '../../support/property-runs.ts';

describe('planPieces', () => {
  it('excludes exactly the big tables from the data and gives each a piece without its sequences', () => {
    const big = { schema: 'S"x', table: 'a.b*', name: '"S""x"."a.b*"', sequences: [['S"x', 'a.b*_id_seq']] as const };
    expect(planPieces([big]).map(({ name, args, attributes }) => [name, args, attributes])).toEqual([
      ['schema', ['--section=pre-data', '--section=post-data', '--quote-all-identifiers'], {}],
      ['data', ['--section=data', '--exclude-table-data="S""x"."a.b*"'], {}],
      [
        'data-0001',
        ['--section=data', '--table="S""x"."a.b*"', '--exclude-table-data="S""x"."a.b*_id_seq"'],
        { table: '"S""x"."a.b*"' },
      ],
    ]);
  });
});

describe('batchTables', () => {
  it('keeps every table once and in order, and bounds tables and bytes of a batch', () => {
    const table = fc.record({ name: fc.string(), bytes: fc.nat({ max: 200_000_000 }) });
    fc.assert(
      fc.property(fc.array(table, { maxLength: 500 }), (tables) => {
        const batches = batchTables(tables);
        expect(batches.flat()).toEqual(tables);
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(100);
          const bytes = batch.reduce((sum, each) => sum + each.bytes, 0);
          expect(batch.length === 1 || bytes <= 64 * 1_024 * 1_024).toBe(true);
        }
      }),
      { seed: 4711, numRuns: runs(100) },
    );
  });
});

describe('withoutNewerSettings', () => {
  const SETTING = 'SET transaction_timeout = 0;\n';
  const HEAD = `--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n${SETTING}SET row_security = off;\n`;
  const read = async (text: string, chunkBytes: number): Promise<string> => {
    const bytes = Buffer.from(text);
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    }
    const out: Uint8Array[] = [];
    for await (const chunk of withoutNewerSettings(chunks())) out.push(chunk);
    return Buffer.concat(out).toString();
  };

  it.each([1, 7, 4_096, 1e6])(
    'takes the setting from the head and nothing from the rows, in chunks of %d bytes',
    async (size) => {
      const rows = `COPY t FROM stdin;\n${'x'.repeat(10_000)}\n${SETTING}\\.\n`;
      expect(await read(HEAD + rows, size)).toBe(HEAD.replace(SETTING, '') + rows);
      expect(await read(HEAD, size)).toBe(HEAD.replace(SETTING, ''));
      expect(await read('', size)).toBe('');
    },
  );
});

describe('runAll', () => {
  const never = new AbortController().signal;
  const untilAborted: Task = async (signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('echo'))));

  it('runs at most as many at once as it may, and all of them', async () => {
    let running = 0;
    let most = 0;
    let done = 0;
    const task: Task = async () => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      done += 1;
    };
    await runAll(
      Array.from({ length: 9 }, () => task),
      { jobs: 3, signal: never },
    );
    expect({ most, done }).toEqual({ most: 3, done: 9 });
    await runAll([], { jobs: 3, signal: never });
  });

  it('throws the first failure when the others have ended, and starts no more', async () => {
    let started = false;
    const fails: Task = async () => Promise.reject(new Error('first'));
    const later: Task = async () => void (started = true);
    await expect(runAll([untilAborted, fails, later], { jobs: 2, signal: never })).rejects.toThrow('first');
    expect(started).toBe(false);
  });

  it('throws the reason of the outer signal', async () => {
    const given = new AbortController();
    setTimeout(() => given.abort(new Error('stop')), 2);
    await expect(runAll([untilAborted], { jobs: 1, signal: given.signal })).rejects.toThrow('stop');
  });
});
