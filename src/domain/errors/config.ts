import type { ErrorTable } from './rule.ts';

/** Errors of the `config` folder. */
export const CONFIG_ERRORS = {
  CONFIG_FILE_MISSING: {
    retry: 'never',
    exit: 2,
    when: 'The configuration file named by --config or LIFEBOAT_CONFIG does not exist or cannot be read.',
    hint: 'is the path right, seen from the folder in which the command runs?',
  },
  CONFIG_FILE_MALFORMED: {
    retry: 'never',
    exit: 2,
    when: 'The configuration file is not a JSON object.',
    hint: 'check it at the named line; comments and trailing commas are not JSON',
  },
  CONFIG_INVALID: {
    retry: 'never',
    exit: 2,
    when: 'A key, an environment variable or a flag is unknown or has a value that cannot be used; each one is named.',
    hint: 'see docs/reference/configuration.md, or point the `$schema` of the file at config/backup.schema.json',
  },
  CONFIG_INCOMPLETE: {
    retry: 'never',
    exit: 2,
    when: 'Neither PostgreSQL nor Redis is configured, or the one that is asked for is not.',
    hint: 'set DATABASE_URL and REDIS_URL, or postgres.url and redis.url in config/backup.json',
  },
  CONFIG_NOT_USABLE: {
    retry: 'after',
    exit: 2,
    when: '`config validate` found something that does not work; the checks say what.',
    hint: 'each failed check says what to do',
  },
  CONFIG_UNREACHABLE: {
    retry: 'after',
    exit: 7,
    when: '`config validate` found a server that does not answer, and nothing else.',
    hint: 'is it running, and is its address right?',
  },
} as const satisfies ErrorTable;
