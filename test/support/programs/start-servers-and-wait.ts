/** Starts test servers, prints their pids as JSON, and stays: for tests that kill -9 the test process itself. */
import { startPostgres, startRedis, startTemporal } from '../servers.ts';

const servers = await Promise.all([startPostgres(), startRedis(), startTemporal()]);
process.stdout.write(`${JSON.stringify(servers.map(({ pid }) => pid))}\n`);
setInterval(() => undefined, 60_000);
