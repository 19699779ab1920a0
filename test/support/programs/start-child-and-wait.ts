/** Starts the program given in argv as a child, prints its pid, and stays: for tests that kill -9 the parent. */
import { spawnChild } from '../../../src/platform/child-process.ts';

const [command = '', ...args] = process.argv.slice(2);
const child = spawnChild({ name: command, command, args, signal: new AbortController().signal });
child.stdout.pipe(process.stderr);
process.stdout.write(`${child.pid}\n`);
setInterval(() => undefined, 60_000);
