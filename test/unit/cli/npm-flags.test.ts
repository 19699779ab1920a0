import { recoverNpmFlags } from '../../../src/cli/npm-flags.ts';
import { MANUAL_COMMANDS } from '../../support/manual-commands.ts';

// What npm 11 makes of each line; cli-npm-eaten-options.test.ts asks the real npm for these and many more.
test.each([
  [
    'restore latest --drop-existing --target-database X --stop-services',
    ['restore', 'latest', 'X'],
    { npm_config_drop_existing: 'true', npm_config_target_database: 'true', npm_config_stop_services: 'true' },
    ['restore', 'latest', '--drop-existing', '--stop-services', '--target-database=X'],
  ],
  [
    'restore latest --target-database=X --json',
    ['restore', 'latest'],
    { npm_config_target_database: 'X', npm_config_json: 'true' },
    ['restore', 'latest', '--json', '--target-database=X'],
  ],
  [
    'backup list --kind full --output json',
    ['backup', 'list', 'full', 'json'],
    { npm_config_kind: 'true', npm_config_output: 'true' },
    ['backup', 'list', '--kind=full', '--output=json'],
  ],
  ['backup full --quiet', ['backup', 'full'], { npm_config_loglevel: 'warn' }, ['backup', 'full', '--quiet']],
])('%s is put together again', (_line, argv, settings, expected) => {
  const env = { npm_lifecycle_event: 'backup:cli', ...settings };
  const [words, options] = [expected.filter(isWord), expected.filter((word) => !isWord(word))];
  const recovered = recoverNpmFlags(argv, env, MANUAL_COMMANDS);
  expect([recovered.filter(isWord), recovered.filter((word) => !isWord(word)).toSorted()]).toEqual([words, options]);
});

test('an option that lost its value, and one with a typing error, are refused', () => {
  const recover = (settings: Readonly<Record<string, string>>): readonly string[] =>
    recoverNpmFlags(['restore', 'latest'], { npm_lifecycle_event: 'backup:cli', ...settings }, MANUAL_COMMANDS);
  expect(() => recover({ npm_config_target_database: 'true' })).toThrow(
    expect.objectContaining({ code: 'USAGE_AMBIGUOUS' }),
  );
  expect(() => recover({ npm_config_drop_exsting: 'true' })).toThrow(
    expect.objectContaining({ code: 'USAGE_INVALID' }),
  );
});

function isWord(word: string): boolean {
  return !word.startsWith('--');
}
