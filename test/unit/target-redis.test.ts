import { targetRedisUrl } from '../../src/domain/target-redis.ts';

describe('the URL of a Redis that takes a restore', () => {
  it.each(['redis://127.0.0.1:6390', 'rediss://restorer@cache.example', 'redis://[::1]:6379/0', 'redis://h/'])(
    '%s may stand in a history',
    (url) => expect(targetRedisUrl(url)).toBe(url),
  );

  it.each(['redis://:s3cret@host:6379', 'redis://user:s3cret@host', 'redis://user:s3c%40ret@host'])(
    '%s is refused and not quoted',
    (url) => {
      const refusal = () => targetRedisUrl(url);
      expect(refusal).toThrow(expect.objectContaining({ code: 'USAGE_INVALID' }));
      expect(refusal).toThrow(expect.not.objectContaining({ message: expect.stringContaining('s3c') }));
    },
  );

  it.each(['127.0.0.1:6379', 'http://host', 'redis://', 'redis://a@b:c@host', 'redis://host?password=x'])(
    '%s is no such URL',
    (url) => expect(() => targetRedisUrl(url)).toThrow(expect.objectContaining({ code: 'USAGE_INVALID' })),
  );
});
