import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { runChild } from '../../../src/platform/child-process.ts';
import { toolEnvironment, writePassfile } from '../../../src/postgres/tools/tool-environment.ts';
import { withScratch } from '../../../src/postgres/tools/scratch.ts';
import { tmpdir } from 'node:os';
import type { TestPostgres } from '../../support/servers.ts';

/**
 * Everything about a database as text, made without the code under test: the definitions by pg_dump, a digest of the ordered
 * rows of every table, sequences, large objects, properties of the database. Two equal databases give equal texts.
 */
export async function portrait(server: TestPostgres, database: string): Promise<string> {
  const { host, port, user, password } = server.target;
  const client = new Client({ host, port, user, database, ...(password === undefined ? {} : { password }) });
  await client.connect();
  try {
    return [
      await definitions(server, database),
      await rows(client),
      await sequences(client),
      await largeObjects(client),
      await properties(client),
    ].join('\n');
  } finally {
    await client.end();
  }
}

async function definitions(server: TestPostgres, database: string): Promise<string> {
  const text = await withScratch(tmpdir(), async (folder) => {
    const target = { ...server.target, database };
    const passfile = await writePassfile(folder, target.password);
    const env = toolEnvironment({ target, passfile, applicationName: 'portrait' }, server.tools.pgDump);
    const { stdout, exit } = await runChild({
      name: 'pg_dump',
      command: server.tools.pgDump,
      args: ['--schema-only', '--no-password'],
      env,
      signal: AbortSignal.timeout(120_000),
      maxOutputBytes: 64 * 1_024 * 1_024,
    });
    if (exit.code !== 0) throw new Error(`pg_dump: ${exit.stderrTail}`);
    return stdout;
  });
  // A token of each run, and nothing of the database.
  return text.replaceAll(/^\\(un)?restrict .*$/gm, '');
}

async function rows(client: Client): Promise<string> {
  const { rows: tables } = await client.query<{ name: string }>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (c.relkind = 'r' OR (c.relkind = 'm' AND c.relispopulated)) AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1`);
  const lines = [];
  for (const { name } of tables) {
    const { rows: texts } = await client.query<{ row: string }>(
      `SELECT t::text AS row FROM ONLY ${name} t ORDER BY t::text COLLATE "C"`,
    );
    const digest = createHash('sha256');
    for (const { row } of texts) digest.update(`${row}\n`);
    lines.push(`${name} ${texts.length} ${digest.digest('hex')}`);
  }
  return lines.join('\n');
}

async function sequences(client: Client): Promise<string> {
  const { rows: found } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, sequencename) AS name FROM pg_sequences ORDER BY 1`,
  );
  const lines = [];
  for (const { name } of found) {
    const { rows } = await client.query<{ value: string }>(
      `SELECT concat(last_value, ' ', is_called) AS value FROM ${name}`,
    );
    lines.push(`${name} ${rows[0]?.value}`);
  }
  return lines.join('\n');
}

async function largeObjects(client: Client): Promise<string> {
  const { rows } = await client.query<{ line: string }>(`
    SELECT concat(oid, ' ', md5(lo_get(oid)), ' ', pg_get_userbyid(lomowner), ' ', lomacl, ' ', obj_description(oid, 'pg_largeobject')) AS line
    FROM pg_largeobject_metadata ORDER BY oid`);
  return rows.map((row) => row.line).join('\n');
}

async function properties(client: Client): Promise<string> {
  const { rows } = await client.query<{ line: string }>(`
    SELECT concat_ws(' | ', pg_get_userbyid(datdba), (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a), datconnlimit,
      pg_encoding_to_char(encoding), datcollate, datctype, shobj_description(oid, 'pg_database'), datallowconn,
      (SELECT string_agg(concat(setrole::regrole, ' ', setconfig), ';' ORDER BY setrole::regrole::text) FROM pg_db_role_setting WHERE setdatabase = d.oid)) AS line
    FROM pg_database d WHERE datname = current_database()`);
  return rows.map((row) => row.line).join('\n');
}
