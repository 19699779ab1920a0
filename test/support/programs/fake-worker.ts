/** Stands where the worker stands, so that the stack is tested without one: says that it is ready, and stays. */
import { appendFileSync } from 'node:fs';

const { FAKE_WORKER_LOG, FAKE_WORKER_FAILS, TEMPORAL_ADDRESS } = process.env;
if (FAKE_WORKER_FAILS !== undefined) {
  process.stderr.write('the configuration is wrong\n');
  process.exit(1);
}
if (FAKE_WORKER_LOG !== undefined) appendFileSync(FAKE_WORKER_LOG, `started ${TEMPORAL_ADDRESS}\n`);
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
setInterval(() => undefined, 60_000);
process.on('SIGTERM', () => process.exit(0));
