/** A process of its own that swaps once, to be killed meanwhile: `{tools, request}` as JSON on stdin, a line when it begins and when it ends. */
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { createPostgres } from '../../../src/postgres/create-postgres.ts';
import type { PostgresTools, Swap } from '../../../src/postgres/postgres.ts';

const { tools, request } = JSON.parse(await text(process.stdin)) as { tools: PostgresTools; request: Swap };
process.stdout.write('begin\n');
await createPostgres({ tools, scratchDir: tmpdir() }).swap(request);
process.stdout.write('done\n');
// Stays, so that a kill after the end is one, too.
setInterval(() => undefined, 1_000);
