/**
 * Goal: a restore into a directory leaves what PostgreSQL and Redis start on by themselves, at one instant, cut off from their source.
 * Method: an application writes around a moment; both directories are written while it goes on, started with the servers' own
 * programs, and read by independent means.
 */
import { describeDirectories } from './product-target-dir-support/directories.ts';

await describeDirectories({
  title: 'PostgreSQL 18 and Redis 7, encrypted',
  postgresMajor: 18,
  redisVersion: '7',
  encrypted: true,
});
