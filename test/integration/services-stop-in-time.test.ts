/**
 * Goal: services are stopped and started by their commands, in time, and nothing that a command started is left running.
 * Method: real commands that answer, fail, hang and cannot be found.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCommandServices } from '../../src/services/command-services.ts';
import type { ServiceDefinition } from '../../src/services/services.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lifeboat-services-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const NEVER = new AbortController().signal;
const service = (parts: Partial<ServiceDefinition>): ServiceDefinition => ({
  name: 'app',
  stop: 'true',
  start: 'true',
  timeoutMs: 10_000,
  ...parts,
});

test('a command line runs by /bin/sh, an argument vector as it is', async () => {
  const services = createCommandServices([
    service({ stop: `echo one; echo "two $((1+1))"`, start: ['/bin/echo', '$HOME', 'a b'] }),
  ]);
  expect(services.names).toEqual(['app']);
  expect(await services.stop('app', NEVER)).toEqual({
    name: 'app',
    action: 'stop',
    durationMs: expect.any(Number),
    lastLine: 'two 2',
  });
  expect((await services.start('app', NEVER)).lastLine).toBe('$HOME a b');
});

test('commands do not see the secrets of the worker', async () => {
  process.env['LIFEBOAT_TOKEN'] = 'canary';
  try {
    const services = createCommandServices([service({ stop: ['/usr/bin/env'], start: 'env' })]);
    await services.start('app', NEVER);
    const { lastLine } = await createCommandServices([service({ start: 'env | tr "\\n" " "' })]).start('app', NEVER);
    expect(lastLine).toContain('PATH=');
    expect(lastLine).not.toContain('canary');
  } finally {
    delete process.env['LIFEBOAT_TOKEN'];
  }
});

test('a failing command is named with its exit code and its last words', async () => {
  const services = createCommandServices([service({ stop: 'echo first >&2; echo unit not found >&2; exit 5' })]);
  await expect(services.stop('app', NEVER)).rejects.toMatchObject({
    code: 'SERVICE_COMMAND_FAILED',
    message: 'stop service app: exit code 5: unit not found',
    details: { service: 'app', action: 'stop', exitCode: 5 },
  });
});

test('a command that hangs is ended with everything it started', async () => {
  const pidFile = join(folder, 'pid');
  const services = createCommandServices([
    service({ stop: `sleep 300 & echo $! > ${pidFile}; wait`, timeoutMs: 2_000 }),
  ]);
  await expect(services.stop('app', NEVER)).rejects.toMatchObject({
    code: 'SERVICE_COMMAND_TIMED_OUT',
    details: { timeoutMs: 2_000 },
  });
  const pid = Number(readFileSync(pidFile, 'utf8'));
  await ended(pid);
});

test('an abort ends the command and is not taken for a timeout', async () => {
  const abort = new AbortController();
  const services = createCommandServices([service({ stop: 'sleep 300' })]);
  const stopping = services.stop('app', abort.signal);
  setTimeout(() => abort.abort(new Error('cancelled')), 100);
  await expect(stopping).rejects.toThrow('cancelled');
});

test('an unknown service and a missing program have errors of their own', async () => {
  const services = createCommandServices([service({ stop: ['/no/such/program'] })]);
  await expect(services.stop('other', NEVER)).rejects.toMatchObject({
    code: 'SERVICE_UNKNOWN',
    details: { known: ['app'] },
  });
  await expect(services.stop('app', NEVER)).rejects.toMatchObject({ code: 'TOOL_MISSING' });
});

/** SIGKILL was sent before the command's error was told; on a busy machine the kernel carries it out a little later. */
async function ended(pid: number): Promise<void> {
  const until = Date.now() + 5_000;
  while (isRunning(pid)) {
    if (Date.now() > until) throw new Error(`process ${pid} still runs`);
    await sleep(20);
  }
}

/** Alive and not only waiting to be reaped. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
