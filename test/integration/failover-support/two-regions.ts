/** Two regions with pairs of servers, and the product with a worker and plans that change their roles. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createDisasterRecoveryManager,
  type DisasterRecoveryManager,
} from '../../../src/client/disaster-recovery-manager.ts';
import { openPlans } from '../../../src/config/plans/plan-library.ts';
import type { PostgresTarget } from '../../../src/postgres/postgres.ts';
import { startProduct, type Product, type ProductOptions } from '../../support/product.ts';
import type { Regions } from '../../support/regions.ts';
import { startRedis, type TestRedis, type TestTemporal } from '../../support/servers.ts';
import { until } from '../postgres-wal-support/wal-server.ts';
import { startPair, startWriter, type TestPair } from './postgres-pair.ts';
import { startRedisWriter } from './redis-writer.ts';

export interface TwoRegions {
  /** `a` is primary. */
  readonly pair: TestPair;
  readonly redis: { readonly a: TestRedis; readonly b: TestRedis };
  readonly product: Product;
  /** Another person than the one at the command line. */
  readonly second: DisasterRecoveryManager;
  writePlan(id: string, ...steps: readonly object[]): Promise<void>;
  /** Writers that end with the regions, also where a test has failed. */
  writeRows: typeof startWriter;
  writeKeys: typeof startRedisWriter;
  stop(): Promise<void>;
}

export interface RegionsOptions {
  readonly temporal: TestTemporal;
  readonly group: string;
  /** Redis of `b` follows that of `a`. */
  readonly withRedis: boolean;
  /** Added to `config/backup.json`. */
  readonly config?: (pair: TestPair) => Promise<Readonly<Record<string, unknown>>>;
  readonly preload?: ProductOptions['preload'];
  /** Networks of their own for the PostgreSQL servers. */
  readonly networks?: Regions;
  /** Added to `failover` of the configuration. */
  readonly limits?: Readonly<Record<string, string>>;
}

export async function startTwoRegions(options: RegionsOptions): Promise<TwoRegions> {
  const { temporal, group, withRedis, preload, networks, limits } = options;
  const [a, b] = await Promise.all([startRedis({ version: '7' }), startRedis({ version: '7' })]);
  const redis = { a, b };
  const pair = await startPair(networks);
  const regionOf = (name: 'a' | 'b'): object => ({
    postgres: { url: urlOf(pair.nodes[name].target), host: pair.nodes[name].host.command },
    ...(withRedis ? { redis: { url: `redis://127.0.0.1:${redis[name].port}` } } : {}),
  });
  const failover = { authority: 'witness', regions: { a: regionOf('a'), b: regionOf('b') }, ...limits };
  const product = await startProduct({
    redisVersion: '7',
    group,
    shared: { postgres: pair.a, temporal },
    seed: 'none',
    config: { stores: { witness: { url: 'file:./witness' } }, failover, ...(await options.config?.(pair)) },
    ...(preload === undefined ? {} : { preload }),
  });
  const dir = join(product.folder, 'config', 'plans');
  await mkdir(dir);
  if (withRedis) {
    await b.cli('REPLICAOF', '127.0.0.1', String(a.port));
    await until(async () => (await b.cli('INFO', 'replication')).includes('master_link_status:up'), 'b follows');
  }
  const writers: { stop(): Promise<void> }[] = [];
  const ending = <T extends { stop(): Promise<void> }>(writer: T): T => {
    writers.push(writer);
    return writer;
  };
  const plans = openPlans({ drPlans: { dir }, objectives: {} });
  return {
    pair,
    redis,
    product,
    second: createDisasterRecoveryManager({ client: product.client, group, requestedBy: 'second@person' }, plans),
    writePlan: async (id, ...steps) => writeFile(join(dir, `${id}.json`), JSON.stringify({ id, name: id, steps })),
    writeRows: (targets, from) => ending(startWriter(targets, from)),
    writeKeys: (targets, from) => ending(startRedisWriter(targets, from)),
    async stop() {
      await Promise.all(writers.map(async (writer) => writer.stop()));
      await product.stop();
      await Promise.all([pair.stop(), a.stop(), b.stop()]);
    },
  };
}

const urlOf = ({ user, password = '', host, port }: PostgresTarget): string =>
  `postgres://${user}:${password}@${host}:${port}/postgres?sslmode=disable`;

/** A step; `order` and whatever else a plan may say of one are in `more`. */
export function stepOf(
  id: string,
  type: string,
  config: object,
  more: { readonly order: number; readonly onFailure?: string },
): object {
  return { id, name: id, type, config, ...more };
}

/** Steps that bring the primary to one region, and have the one of the other follow it. */
export function changeOfRoles(to: string, from: string): readonly object[] {
  const there = { targetRegion: to };
  return [
    stepOf('fence', 'fence', there, { order: 1 }),
    stepOf('promote', 'promote', there, { order: 2 }),
    stepOf('repoint', 'repoint', there, { order: 3 }),
    stepOf('rejoin', 'rejoin', { region: from }, { order: 4 }),
  ];
}
