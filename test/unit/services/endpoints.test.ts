import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEndpoints, type EndpointDefinition, type Endpoints } from '../../../src/services/endpoints.ts';
import { caught } from '../../support/caught.ts';

const folder = mkdtempSync(join(tmpdir(), 'lifeboat-endpoints-'));
const said = join(folder, 'said');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(said, { force: true }));

const say = (what: string): string => `echo "${what} $DR_NEW" >> '${said}'`;
const heard = (): string[] => readFileSync(said, 'utf8').trim().split('\n');
const open = (more: Partial<EndpointDefinition>): Endpoints =>
  createEndpoints([{ name: 'app', apply: say('apply'), verify: say('verify'), undo: say('undo'), ...more }], ['lb'], 0);
const context = { env: { DR_NEW: 'b' }, signal: new AbortController().signal };

test('an endpoint is led to a region, and asked who answers', async () => {
  await open({}).repoint('app', context);
  expect(heard()).toEqual(['apply b', 'verify b']);
});

test.each([
  [
    'cannot be led there',
    { apply: 'echo no route >&2; exit 3' },
    'endpoint app: apply: exit code 3: no route',
    ['undo b'],
  ],
  [
    'still leads to another server',
    { verify: 'echo it is a standby >&2; exit 1' },
    'endpoint app: verify: exit code 1: it is a standby',
    ['apply b', 'undo b'],
  ],
])('one that %s is taken back', async (_, more, message, told) => {
  const error = await caught(() => open(more).repoint('app', context));
  expect(error).toMatchObject({ code: 'ENDPOINT_NOT_REPOINTED', message });
  expect(heard()).toEqual(told);
});

test('one that cannot be taken back either says so, and without a way back nothing is tried', async () => {
  const stuck = await caught(() => open({ apply: 'exit 1', undo: 'echo locked >&2; exit 2' }).repoint('app', context));
  expect(stuck.message).toBe('endpoint app: apply: exit code 1; and undo: exit code 2: locked');
  const simple = await caught(() => open({ apply: 'exit 1', undo: null }).repoint('app', context));
  expect(simple.message).toBe('endpoint app: apply: exit code 1');
});

test('one is looked at until it leads there, as names live on for a while', async () => {
  const verify = `${say('verify')}; test $(wc -l < '${said}') -gt 2`;
  await createEndpoints([{ name: 'app', apply: say('apply'), verify, undo: null }], [], 60_000).repoint('app', context);
  expect(heard()).toEqual(['apply b', 'verify b', 'verify b']);
});

test('one that nobody has configured is named', async () => {
  expect((await caught(() => open({}).repoint('ap', context))).code).toBe('ENDPOINT_UNKNOWN');
});
