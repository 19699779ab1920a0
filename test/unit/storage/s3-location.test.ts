import { parseS3Url } from '../../../src/storage/s3/s3-location.ts';
import { createS3Store } from '../../../src/storage/s3-store.ts';
import { caught } from '../../support/caught.ts';

test('a URL is taken apart, and shown without its parameters', () => {
  expect(
    parseS3Url(
      's3://acme-backups/prod/a/?region=eu-central-1&endpoint=https%3A%2F%2Fs3.acme.test%2F&forcePathStyle=true',
    ),
  ).toEqual({
    bucket: 'acme-backups',
    root: 'prod/a/',
    region: 'eu-central-1',
    endpoint: 'https://s3.acme.test',
    forcePathStyle: true,
    listing: 'flat',
    url: 's3://acme-backups/prod/a',
  });
  expect(parseS3Url('s3://acme')).toMatchObject({ root: '', region: undefined, endpoint: undefined, url: 's3://acme' });
  expect(parseS3Url('s3://acme/?listing=folders')).toMatchObject({
    root: '',
    listing: 'folders',
    forcePathStyle: false,
  });
});

test.each([
  's3://',
  's3://ab/x',
  's3://key:secret@acme/x',
  's3://acme/x?secretKey=secret',
  's3://acme/x?endpoint=ftp://host',
  's3://acme/x?endpoint=https://user:secret@host',
  's3://acme/a b',
  's3://acme/x?forcePathStyle=maybe',
  's3://acme/x?listing=sometimes',
  's3://acme/x#secret',
])('%s is refused, and no secret in it is repeated', async (url) => {
  const error = await caught(() => parseS3Url(url));
  expect(error.code).toBe('STORE_URL_INVALID');
  expect(error.message + error.hint).not.toContain('secret');
});

test('a key that is none is refused before anything is connected to', async () => {
  const store = createS3Store('s3://acme/x?endpoint=http://127.0.0.1:1');
  expect((await caught(() => store.put('../x', Buffer.from('x')))).code).toBe('STORE_KEY_INVALID');
});
