/**
 * Goal: a child's end is told as it was, its output is never taken for whole when it is not, and no child outlives us.
 * Method: real programs that end, fail, hang, print without end and refuse to end; the process table says what is left.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LifeboatError } from '../../src/domain/errors.ts';
import { readGated, runChild, spawnChild, type Child } from '../../src/platform/child-process.ts';
import { identifyProcess } from '../../src/platform/process-identity.ts';

const NEVER = new AbortController().signal;

function sh(script: string, options: { signal?: AbortSignal; graceMs?: number } = {}): Child {
  return spawnChild({ name: 'sh', command: '/bin/sh', args: ['-c', script], signal: NEVER, ...options });
}

const toError = (exit: object): LifeboatError => new LifeboatError('INTERNAL', JSON.stringify(exit));

async function readAll(child: Child): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readGated(child, toError)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Resolves true when the process is gone within the limit. */
async function isGoneWithin(pid: number, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    if ((await identifyProcess(pid)) === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

describe('a child process', () => {
  test.each([
    ['exit 0', { code: 0, signal: null, stderrTail: '' }],
    ['echo why >&2; exit 143', { code: 143, signal: null, stderrTail: 'why' }],
    ['kill -TERM $$', { code: null, signal: 'SIGTERM', stderrTail: '' }],
    ['kill -KILL $$', { code: null, signal: 'SIGKILL', stderrTail: '' }],
  ])('passes on how it ended: %s', async (script, expected) => {
    const child = sh(script);
    child.stdout.resume();
    expect(await child.exited).toEqual(expected);
  });

  test('is known by its own pid, not by one of a wrapper', async () => {
    const child = sh('echo $$');
    expect(await readAll(child)).toBe(`${child.pid}\n`);
  });

  test('keeps what it wrote for a reader that comes after its exit', async () => {
    const child = sh('head -c 60000 /dev/zero');
    await child.exited;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await readAll(child)).toHaveLength(60_000);
  });

  test('keeps the end of a long stderr, and not more than 2 KiB of it', async () => {
    const { exit } = await runChild({
      name: 'sh',
      command: '/bin/sh',
      args: ['-c', 'head -c 100000 /dev/zero | tr "\\0" x >&2; echo end >&2'],
      signal: NEVER,
    });
    expect(exit.stderrTail).toHaveLength(2_047);
    expect(exit.stderrTail.endsWith('xend')).toBe(true);
  });

  test('inherits no variable that could change what a database tool does', async () => {
    process.env['PGOPTIONS'] = '-c search_path=evil';
    try {
      const { stdout } = await runChild({ name: 'env', command: 'env', args: [], env: { ADDED: '1' }, signal: NEVER });
      expect(stdout).not.toContain('PGOPTIONS');
      expect(stdout).toContain('ADDED=1');
      expect(stdout).toContain('PATH=');
    } finally {
      delete process.env['PGOPTIONS'];
    }
  });

  test('that cannot be found is a missing tool', () => {
    expect(() => spawnChild({ name: 'pg_dump', command: 'no-such-program', args: [], signal: NEVER })).toThrow(
      expect.objectContaining({ code: 'TOOL_MISSING', message: expect.stringContaining('pg_dump') }),
    );
  });

  test('in a folder that does not exist is refused with a code', () => {
    expect(() =>
      spawnChild({ name: 'true', command: 'true', args: [], cwd: '/no/such/folder', signal: NEVER }),
    ).toThrow(expect.objectContaining({ code: 'PROCESS_NOT_STARTED' }));
  });
});

describe('a gated stream', () => {
  test('gives an error, not a short success, when the producer fails after its output', async () => {
    await expect(readAll(sh('echo all; exit 3'))).rejects.toThrow('"code":3');
  });

  test('gives an error when the producer is killed in the middle', async () => {
    const child = sh('echo first; sleep 30');
    const reading = readAll(child);
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGKILL');
    await expect(reading).rejects.toThrow('"signal":"SIGKILL"');
  });

  test('ends the producer when its reader leaves early', async () => {
    const child = sh('while :; do echo line; done');
    for await (const chunk of readGated(child, toError)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(await identifyProcess(child.pid)).toBeUndefined();
  });

  test('holds the producer back instead of filling the memory', async () => {
    const child = sh('head -c 50000000 /dev/zero; echo written >&2');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(child.stdout.readableLength).toBeLessThan(1_000_000);
    expect(await readAll(child)).toHaveLength(50_000_000);
  });
});

describe('an abort', () => {
  test('ends the whole group and rejects with its reason', async () => {
    const abort = new AbortController();
    const child = sh('sleep 30 & echo $!; wait', { signal: abort.signal });
    const [first] = await once(child.stdout, 'data');
    const reading = readAll(child);
    abort.abort(new Error('stop it'));
    await expect(reading).rejects.toThrow('stop it');
    expect(await isGoneWithin(Number(String(first)), 1_000)).toBe(true);
  });

  test('kills what ignores the polite signal after the grace period', async () => {
    const abort = new AbortController();
    const child = sh('trap "" TERM; echo ready; while :; do sleep 1; done', { signal: abort.signal, graceMs: 200 });
    await once(child.stdout, 'data');
    abort.abort();
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  test('does not wait for a process that left the group with the output', async () => {
    const abort = new AbortController();
    const child = sh('setsid sleep 5 & sleep 0.2', { signal: abort.signal });
    const reading = readAll(child);
    await child.exited;
    setTimeout(() => abort.abort(new Error('stop it')), 50);
    await expect(reading).rejects.toThrow('stop it');
  });

  test('before the start prevents it', () => {
    expect(() => sh('exit 0', { signal: AbortSignal.abort(new Error('too late')) })).toThrow('too late');
  });
});

describe('runChild', () => {
  test('feeds input and gives the output back', async () => {
    const { stdout } = await runChild({ name: 'cat', command: 'cat', args: [], input: 'grüße\n', signal: NEVER });
    expect(stdout).toBe('grüße\n');
  });

  test('survives a program that does not read its input', async () => {
    const input = 'x'.repeat(1_000_000);
    const { exit } = await runChild({ name: 'sh', command: 'sh', args: ['-c', 'exit 4'], input, signal: NEVER });
    expect(exit.code).toBe(4);
  });

  test('ends a program that prints without end', async () => {
    const running = runChild({ name: 'yes', command: 'yes', args: [], maxOutputBytes: 10_000, signal: NEVER });
    await expect(running).rejects.toMatchObject({ code: 'PROCESS_OUTPUT_TOO_LARGE' });
  });
});

describe('kill -9 of this program', () => {
  const starter = fileURLToPath(new URL('../support/programs/start-child-and-wait.ts', import.meta.url));

  test.each([
    ['a silent child', 'sleep 300'],
    ['a child that ignores polite signals', 'trap "" TERM INT HUP; while :; do sleep 1; done'],
  ])('leaves no child behind within 2 s: %s', async (_, script) => {
    const parent = spawn(process.execPath, [starter, '/bin/sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    expect(await identifyProcess(pid)).toBeDefined();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(await isGoneWithin(pid, 2_000)).toBe(true);
  });
});
