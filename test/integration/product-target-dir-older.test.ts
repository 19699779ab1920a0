/**
 * Goal: a restore into a directory leaves what PostgreSQL and Redis start on by themselves, at one instant, cut off from their source.
 * Method: an application writes around a moment; both directories are written while it goes on, started with the servers' own
 * programs, and read by independent means.
 */
import { describeDirectories } from './product-target-dir-support/directories.ts';

await describeDirectories({ title: 'PostgreSQL 16 and Redis 6.2', postgresMajor: 16, redisVersion: '6.2' });
