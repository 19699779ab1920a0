import { choice, flag, type Options, value } from './options.ts';

/** Options that every command takes, in front of its name or behind it. */
export const GLOBAL_OPTIONS = {
  config: value('<file>', 'configuration file (default: config/backup.json where it exists)'),
  group: value('<name>', 'recovery group'),
  output: choice(['table', 'json'], 'form of the answer on stdout (default: table)'),
  json: flag('short for --output json'),
  quiet: flag('no progress and no notes'),
} as const satisfies Options;

/** Global options that set a key of the configuration. */
export const FLAG_KEYS: Readonly<Record<string, string>> = { group: 'group' };
