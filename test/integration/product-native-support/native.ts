/** A product whose incremental backups take the changed blocks, and a table that changes as those of pgbench do. */
import { startProduct, type Fingerprint, type Product, type ProductOptions } from '../../support/product.ts';
import { openApplication, type Application } from '../product-point-in-time-support/moments.ts';

export const ACCOUNTS = 120_000;
/** 5 % of the rows. */
const CHANGED = ACCOUNTS / 20;
export const GROUP_BUSY = 6;

export interface Native {
  readonly product: Product;
  readonly application: Application;
  /** Updates 5 % of the accounts, side by side from the given per cent on, and adds some. */
  change(fromPercent: number): Promise<void>;
  /** `backup incremental`, and what was in PostgreSQL when it had ended. */
  incremental(): Promise<Taken>;
  stop(): Promise<void>;
}

export interface Taken {
  readonly id: string;
  readonly answer: Record<string, any>; // oxlint-disable-line typescript/no-explicit-any
  readonly data: Fingerprint;
}

export async function startNative({
  postgres,
  ...options
}: ProductOptions & { readonly postgres?: Readonly<Record<string, unknown>> }): Promise<Native> {
  const journal = { enabled: true, flushSeconds: 1 };
  const config = { journal, postgres: { incremental: 'native', ...postgres } };
  const product = await startProduct({ redisVersion: '7', ...options, config });
  const application = await openApplication(product);
  await application.sql(
    `CREATE TABLE accounts AS SELECT id, 0 AS balance, md5(id::text) AS filler FROM generate_series(1, ${ACCOUNTS}) AS id`,
  );
  await application.sql('ALTER TABLE accounts ADD PRIMARY KEY (id)');
  await summarize(product, 'on');
  return {
    product,
    application,
    async change(fromPercent) {
      const from = Math.round((ACCOUNTS * fromPercent) / 100);
      await application.sql(
        `UPDATE accounts SET balance = balance + id % 7 + 1, filler = md5(filler) WHERE id > ${from} AND id <= ${from + CHANGED}`,
      );
      await application.sql(`INSERT INTO accounts SELECT max(id) + 1, ${fromPercent}, 'new' FROM accounts`);
    },
    async incremental() {
      const answer = await takeIncremental(product);
      return { id: answer['backup'].id, answer, data: rowsOnly(await product.fingerprint()) };
    },
    async stop() {
      application.end();
      await product.stop();
    },
  };
}

/** A journal that needs a base has a full backup taken, which holds the group: that is waited for. */
async function takeIncremental(product: Product): Promise<Taken['answer']> {
  const { exit, json, stdout } = await product.cli(['backup', 'incremental']);
  if (exit === 0) return json;
  if (exit !== GROUP_BUSY) throw new Error(`lifeboat backup incremental: exit ${exit}\n${stdout}`);
  await product.succeed('attach', 'lifeboat/default');
  return takeIncremental(product);
}

export async function summarize(product: Product, to: 'on' | 'off'): Promise<void> {
  await product.postgres.query(`ALTER SYSTEM SET summarize_wal = ${to}`);
  await product.postgres.query('SELECT pg_reload_conf()');
}

/** Of PostgreSQL alone, and without what belongs to the name of the database. */
export function rowsOnly(data: Fingerprint): Fingerprint {
  return Object.fromEntries(
    Object.entries(data).filter(
      ([name]) => !name.startsWith('key ') && name !== 'functions' && !name.startsWith('database '),
    ),
  );
}
