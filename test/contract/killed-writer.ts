// Run by a test in a process of its own: begins to write an object, says so, and never ends.
import { createLocalStore } from '../../src/storage/local-store.ts';

async function* endless(): AsyncGenerator<Buffer> {
  for (let chunk = 0; ; chunk += 1) {
    yield Buffer.alloc(256 * 1024, chunk);
    if (chunk === 4) process.stdout.write('writing\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const [, , root = '', key = ''] = process.argv;
await createLocalStore({ root }).put(key, endless(), { ifNoneMatch: true });
