import { startPostgres, startTemporal, type TestPostgres, type TestTemporal } from '../servers.ts';
import { startProduct, type Product, type ProductOptions } from '../product.ts';

/** Several products side by side on one PostgreSQL and one Temporal: what they wait for costs the time of the longest. */
export interface Lanes {
  readonly postgres: TestPostgres;
  readonly temporal: TestTemporal;
  /** A product with a group, a database, a Redis and a worker of its own. */
  open(group: string, options?: ProductOptions): Promise<Product>;
  stop(): Promise<void>;
}

/** A base of one lane begins with a checkpoint, which must not take the WAL from the incremental backup of another. */
const SETTINGS = { wal_keep_size: '1GB', summarize_wal: 'on' };

export async function openLanes(): Promise<Lanes> {
  const [postgres, temporal] = await Promise.all([startPostgres({ major: 18, settings: SETTINGS }), startTemporal()]);
  const products: Product[] = [];
  return {
    postgres,
    temporal,
    async open(group, options = {}) {
      const product = await startProduct({ ...options, group, shared: { postgres, temporal } });
      products.push(product);
      return product;
    },
    async stop() {
      await Promise.all(products.map(async (product) => product.stop()));
      await Promise.all([postgres.stop(), temporal.stop()]);
    },
  };
}
