import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { caught } from '../../support/caught.ts';
import { openStore } from '../../../src/storage/open-store.ts';

test.each([
  ['file:./backups', 'file:///base/backups'],
  ['file:backups', 'file:///base/backups'],
  ['./backups', 'file:///base/backups'],
  ['../backups', 'file:///backups'],
  ['backups', 'file:///base/backups'],
  ['/var/backups', 'file:///var/backups'],
  ['file:/var/backups', 'file:///var/backups'],
  ['file:///var/my%20backups', 'file:///var/my%20backups'],
  ['memory:', 'memory:'],
])('%s opens %s', (url, expected) => {
  expect(openStore(url, '/base').url).toBe(expected);
});

test.each(['s3x://bucket/x', 'https://user:secret@host/x', '', 'file:', 'file://host/share'])(
  '%j is refused, and no secret in it is repeated',
  (url) => {
    let refusal: unknown;
    try {
      openStore(url);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'STORE_URL_INVALID' });
    expect(String(refusal)).not.toContain('secret');
  },
);

test('a store of a path holds its objects as files there', async () => {
  const base = await mkdtemp(join(tmpdir(), 'lifeboat-open-'));
  try {
    await openStore('file:./store', base).put('a/b', Buffer.from('bytes'));
    expect(await readFile(join(base, 'store/a/b'), 'utf8')).toBe('bytes');
  } finally {
    await rm(base, { recursive: true, force: true });
  }
});

test('a place where no folder can ever be made is an error, not an endless attempt', async () => {
  // Linux answers there as if the parent were missing, which it is not.
  const refusal = await caught(() => openStore('/proc/lifeboat/store').put('a/b', Buffer.from('bytes')));
  expect(refusal.code).toMatch(/^STORE_/);
});
