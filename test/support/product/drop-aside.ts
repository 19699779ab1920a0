/** A stop command of a service that makes the last step of a restore fail, when a test asks for it. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Product } from '../product.ts';

const PG = new URL('../../../node_modules/pg/esm/index.mjs', import.meta.url).href;
const PROGRAM = 'drop-aside.mjs';
const WANTED = 'sabotage';

/** Configuration of a product whose one service is stopped by that command. */
export const SABOTAGED = { services: [{ name: 'api', stop: [process.execPath, PROGRAM], start: ['true'] }] };

/** Puts the command into the product's folder; does nothing until `withAsideDropped`. */
export async function prepareDropAside({ folder, postgres }: Product): Promise<void> {
  const { user, password, port } = postgres.target;
  const url = `postgres://${user}:${password}@127.0.0.1:${port}/postgres`;
  const program = `import { existsSync } from 'node:fs';
import pg from '${PG}';
if (existsSync('${WANTED}')) {
  const client = new pg.Client('${url}');
  await client.connect();
  const { rows } = await client.query("select datname from pg_database where datname like '%restoring%'");
  for (const { datname } of rows) await client.query('drop database "' + datname + '" with (force)');
  await client.end();
}
`;
  await writeFile(join(folder, PROGRAM), program);
}

/** A restore with --stop-services that runs in `act` loses the database that it has loaded aside, right before it is to go live. */
export async function withAsideDropped<T>({ folder }: Product, act: () => Promise<T>): Promise<T> {
  await writeFile(join(folder, WANTED), '');
  try {
    return await act();
  } finally {
    await rm(join(folder, WANTED));
  }
}
