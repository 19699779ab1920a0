import { choice, flag, type Options, type OptionValues, value } from './options.ts';

/** Options that every command takes, in front of its name or behind it. */
export const GLOBAL_OPTIONS = {
  config: value('<file>', 'configuration file (default: config/backup.json where it exists)'),
  group: value('<name>', 'recovery group'),
  output: choice(['table', 'json'], 'form of the answer on stdout (default: table)'),
  json: flag('short for --output json'),
  quiet: flag('no progress and no notes'),
} as const satisfies Options;

/** What was typed for them; an option that was not given is missing. */
export type GlobalValues = Partial<OptionValues<typeof GLOBAL_OPTIONS>>;

/** Global options that set a key of the configuration. */
export const FLAG_KEYS = { group: 'group' } as const satisfies Partial<Record<keyof GlobalValues, string>>;
