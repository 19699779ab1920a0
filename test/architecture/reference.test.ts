import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { COMMANDS } from '../../src/cli/registry.ts';
import { flagName } from '../../src/cli/options.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { configSchema } from '../../src/config/schema/config.ts';
import { kindOf, leavesOf, schemasAt } from '../../src/config/schema/walk.ts';
import { VARIABLES } from '../../src/config/variables.ts';
import { ERRORS } from '../../src/domain/errors.ts';
import { referenceFiles } from '../../scripts/generate-reference.ts';

/**
 * Goal: the reference says what the program does, neither less nor more.
 * Method: the pages are generated again and compared; then names are looked up in both directions.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const inCode = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

test.each([...referenceFiles()])('%s is what `node scripts/generate-reference.ts` writes', (path, content) => {
  expect(read(path) === content).toBe(true);
});

test('every error code is explained, and every explained code exists', () => {
  const rows = inCode(read('docs/reference/errors.md'), /^\| `([A-Z][A-Z0-9_]+)` \|/gm);
  expect(rows).toEqual(Object.keys(ERRORS).toSorted());
});

test('every key is explained, and every explained key exists', () => {
  const rows = inCode(read('docs/reference/configuration.md'), /^\| `([^`]+)` \| .* \| .* \| .* \|.*\|$/gm);
  const keys = leavesOf(configSchema).map((leaf) => leaf.path.join('.'));
  expect(rows.toSorted()).toEqual(keys.toSorted());
  for (const leaf of leavesOf(configSchema))
    expect([leaf.path.join('.'), leaf.description.length > 3]).toEqual([leaf.path.join('.'), true]);
});

test('every variable sets a key that exists, one variable a key', () => {
  for (const key of Object.values(VARIABLES))
    expect([key, schemasAt(configSchema, key.split('.')).length]).toEqual([key, 1]);
  expect(new Set(Object.values(VARIABLES)).size).toBe(Object.keys(VARIABLES).length);
  const page = read('docs/reference/configuration.md');
  for (const name of Object.keys(VARIABLES)) expect(page).toContain(`\`${name}\``);
});

test('every command and option is explained, and every explained command exists', () => {
  const page = read('docs/reference/cli.md');
  expect(inCode(page, /^## lifeboat ([a-z -]+?)(?: [<[].*)?$/gm)).toEqual(COMMANDS.map((command) => command.name));
  for (const command of COMMANDS) {
    const section = page.split(/^## /m).find((part) => part.startsWith(`lifeboat ${command.name}`)) ?? '';
    for (const key of Object.keys(command.options))
      expect([command.name, section]).toEqual([command.name, expect.stringContaining(`\`${flagName(key)}`)]);
  }
});

describe('config/backup.schema.json', () => {
  const ajv = new Ajv2020({ strict: false, formats: { uri: true } });
  const schema: object = JSON.parse(read('config/backup.schema.json'));
  const isValid = ajv.compile(schema);

  test('accepts the example, which loads without a warning', () => {
    const example: object = JSON.parse(read('config/backup.example.json'));
    expect([isValid(example), isValid.errors]).toEqual([true, null]);
    const { warnings, config } = loadConfig({ env: {}, cwd: ROOT, flags: { config: 'config/backup.example.json' } });
    expect([warnings, config.services[0]?.name]).toEqual([[], 'auth-backend']);
  });

  test.each([
    [{ retention: { dais: 3 } }],
    [{ compression: { level: 10 } }],
    [{ postgres: { password: { vault: 'x' } } }],
    [{ services: [{ name: 'a' }] }],
    [{ group: 'A b' }],
  ])('refuses %j', (wrong) => {
    expect(isValid(wrong)).toBe(false);
  });

  test('secrets may be text or references', () => {
    for (const password of ['x', { env: 'A' }, { file: 'b' }]) expect(isValid({ postgres: { password } })).toBe(true);
    const secrets = leavesOf(configSchema).filter((leaf) => kindOf(leaf.schema)?.startsWith('secret'));
    expect(secrets.length).toBeGreaterThan(8);
  });
});
