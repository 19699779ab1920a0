/**
 * Goal: a base of a source that is broken, or that becomes another one on the way, is an error and never a base.
 * Method: a page of a table is altered on the disk of a cluster with checksums; a standby is promoted while its base is being read. The
 * same base without the trouble is taken first, so that each of the two can only fail because of it.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BaseSink, PhysicalBackup } from '../../src/postgres/physical/physical.ts';
import type { PostgresTarget } from '../../src/postgres/postgres.ts';
import { caught } from '../support/caught.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { query } from './postgres-physical-support/bank.ts';
import { physicalOf, startStandby, takeBase, toolsOf, untilDone } from './postgres-physical-support/bases.ts';

const ROWS = `CREATE TABLE t AS SELECT g AS id, repeat(md5(g::text), 30) AS filler FROM generate_series(1, 30000) g; CHECKPOINT`;
const PAGE_BYTES = 8_192;
/** Of one page, behind its header and in its rows. */
const ALTERED_AT = 7 * PAGE_BYTES + 4_000;

const suite = await whenAvailable('postgres 18');
suite('a physical base', () => {
  let server: TestPostgres;
  let physical: PhysicalBackup;
  let scratchDir: string;

  beforeAll(async () => {
    server = await startPostgres({ settings: { wal_keep_size: '1GB', max_connections: '130' } });
    scratchDir = await mkdtemp(join(tmpdir(), 'lifeboat-scratch-'));
    physical = physicalOf(await toolsOf(server, 18), scratchDir);
    await server.query(ROWS);
  });
  afterAll(async () => {
    await server?.stop();
    await rm(scratchDir, { recursive: true, force: true });
  });

  /** Takes a base, with something done when its first piece comes; gives the error, and what was stored until then. */
  const broken = async (
    target: PostgresTarget,
    act: () => Promise<unknown>,
  ): Promise<{ readonly error: unknown; readonly stored: readonly string[] }> => {
    const stored: string[] = [];
    const sink: BaseSink = async ({ name }, source) => {
      let acted = false;
      for await (const _ of source) {
        if (name === 'base-0001' && !acted) await act();
        acted = true;
      }
      stored.push(name);
    };
    const error = await caught(async () =>
      physical.takeBase({ target, pieceBytes: 2_000_000 }, { sink, operation: untilDone }),
    );
    return { error, stored };
  };

  it('of a standby that is promoted on the way is an error: its WAL goes on in another history', async () => {
    const base = await takeBase(physical, server.target);
    const standby = await startStandby(server, base, physical);
    try {
      const undisturbed = await takeBase(physical, standby.target);
      expect(undisturbed.facts).toMatchObject({ fromStandby: true, timeline: 1 });
      await undisturbed.store.remove();
      const { error, stored } = await broken(standby.target, async () =>
        query(standby.target, 'select pg_promote(true, 60)'),
      );
      expect(error).toMatchObject({ code: 'POSTGRES_BASE_FAILED', message: expect.stringContaining('promoted') });
      expect(stored).not.toContain('manifest');
      const after = await takeBase(physical, standby.target);
      expect(after.facts).toMatchObject({ fromStandby: false, timeline: 2 });
      await after.store.remove();
    } finally {
      await standby.stop();
      await base.store.remove();
    }
  });

  it('of a cluster with a damaged page is an error that says so, before good backups are gone', async () => {
    const { rows } = await server.query<{ path: string }>("select pg_relation_filepath('t') as path");
    await server.kill();
    const file = await open(join(server.dataDir, rows[0]!.path), 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, ALTERED_AT);
    await file.write(Buffer.from([byte[0]! ^ 0x40]), 0, 1, ALTERED_AT);
    await file.close();
    await server.restart();
    const { error, stored } = await broken(server.target, async () => undefined);
    expect(error).toMatchObject({ code: 'POSTGRES_BASE_FAILED', message: expect.stringContaining('checksum') });
    expect(stored).not.toContain('manifest');
  });
});
