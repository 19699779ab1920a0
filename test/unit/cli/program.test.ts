import { buildProgram, type Invocation } from '../../../src/cli/program.ts';
import { COMMANDS, GROUPS } from '../../../src/cli/registry.ts';
import { EXIT_CODES } from '../../../src/cli/exit-codes.ts';
import { ERRORS } from '../../../src/domain/errors.ts';
import type { Command } from '../../../src/cli/command.ts';
import { MANUAL_COMMANDS } from '../../support/manual-commands.ts';

const ID = 'backup-2024-01-15T10-30-00-000Z';

async function parse(
  words: readonly string[],
  commands: readonly Command[] = MANUAL_COMMANDS,
): Promise<{ invocation: Invocation | undefined; out: string }> {
  let out = '';
  let invocation: Invocation | undefined;
  const program = buildProgram({
    commands,
    groups: GROUPS,
    version: '1.2.3',
    run: async (given) => void (invocation = given),
    writeOut: (text) => void (out += text),
    writeErr: (text) => void (out += text),
  });
  await program.parseAsync(words, { from: 'user' }).catch((error: { code?: string }) => {
    if (error.code !== 'commander.helpDisplayed') throw error;
  });
  return { invocation, out };
}

describe('a command below another command', () => {
  const RUN = 'restore-2024-01-15T11-02-00-000Z';

  test.each([
    ['restore', 'undo', RUN, '--detach'],
    ['restore', 'undo', '--detach', RUN],
    ['restore', '--detach', 'undo', RUN],
    ['restore', '--dry-run', 'undo', RUN, '--detach'],
  ])('takes the option that both have: %s %s %s %s', async (...words) => {
    const { invocation } = await parse(words, COMMANDS);
    expect(invocation?.command.name).toBe('restore undo');
    expect(invocation?.input).toEqual({ arguments: { run: RUN }, options: expect.objectContaining({ detach: true }) });
  });

  test.each([['--drop-existing'], ['--redis'], ['--target-database=x']])(
    'refuses %s, which only the other has',
    async (option) => {
      for (const words of [
        ['restore', 'undo', RUN, option],
        ['restore', option, 'undo', RUN],
      ])
        await expect(parse(words, COMMANDS)).rejects.toMatchObject({ code: 'USAGE_INVALID' });
      expect((await parse(['restore', 'undo', '--help'], COMMANDS)).out).not.toContain(option.split('=')[0]);
    },
  );
});

test('options and arguments reach the command by name, with their types', async () => {
  const { invocation } = await parse([
    'restore',
    ID,
    '--drop-existing',
    '--target-database',
    'x',
    '--table',
    'a.b',
    '--table=c.d',
    '--to-time',
    '2024-01-15T10:30Z',
    '--json',
  ]);
  expect(invocation?.command.name).toBe('restore');
  expect(invocation?.input.arguments).toEqual({ backup: ID });
  expect(invocation?.input.options).toEqual({
    postgres: false,
    redis: false,
    dropExisting: true,
    targetDatabase: 'x',
    stopServices: false,
    toTime: new Date('2024-01-15T10:30:00Z'),
    table: ['a.b', 'c.d'],
    keys: undefined,
    dryRun: false,
    yes: false,
  });
  expect(invocation?.globals['json']).toBe(true);
});

test('global options stand in front of a command, between its words, or behind it', async () => {
  for (const words of [
    ['--group', 'g', 'backup', 'full'],
    ['backup', '--group', 'g', 'full'],
    ['backup', 'full', '--group', 'g'],
  ]) {
    const { invocation } = await parse(words);
    expect([invocation?.command.name, invocation?.globals['group']]).toEqual(['backup full', 'g']);
  }
});

test('an argument that may be repeated is a list', async () => {
  const { invocation } = await parse(['replication', 'sync', 'us-west-2', 'eu-west-1', '--dry-run']);
  expect(invocation?.input.arguments).toEqual({ targets: ['us-west-2', 'eu-west-1'] });
  expect((await parse(['replication', 'sync'])).invocation?.input.arguments).toEqual({ targets: [] });
});

test('a command that is also a family is found in both roles', async () => {
  expect((await parse(['restore', 'latest'])).invocation?.command.name).toBe('restore');
  const undo = await parse(['restore', 'undo', 'run-1']);
  expect([undo.invocation?.command.name, undo.invocation?.input.arguments]).toEqual(['restore undo', { run: 'run-1' }]);
});

test.each([
  [['bakup', 'full'], /unknown command 'bakup'\s.*backup/],
  [['backup', 'ful'], /unknown command 'ful'\s.*full/],
  [['backup', 'full', '--labl', 'a=b'], /unknown option '--labl'\s.*--label/],
  [['backup', 'full', '--label', 'ab'], /no = between a key and a value/],
  [['backup', 'full', 'extra'], /too many arguments/],
  [['backup', 'list', '--kind', 'big'], /--kind: "big" is none of full, incremental/],
  [['backup', 'list', '--since', '2024-01-15T10:30'], /no offset/],
  [['restore'], /missing required argument 'backup'/],
  [['restore', 'latest', '--target-database'], /argument missing/],
])('%j is refused', async (words, message) => {
  await expect(parse(words)).rejects.toThrow(message);
});

describe.each(COMMANDS.map((command) => [command.name, command] as const))('%s', (name, command) => {
  test('--help has what it does, its options, an example and its exit codes', async () => {
    const { out } = await parse([...name.split(' '), '--help'], COMMANDS);
    const words = out.replaceAll(/\s+/g, ' ');
    expect(words).toContain(command.summary.slice(1));
    for (const example of command.examples) {
      expect(out).toContain(`$ lifeboat ${example}`);
      expect(example.startsWith(name)).toBe(true);
    }
    for (const { description } of Object.values({ ...command.options, ...command.arguments }))
      expect(words).toContain(description);
    for (const code of [0, 1, 2, ...command.exits] as const) expect(words).toContain(`${code} ${EXIT_CODES[code]}`);
    expect(command.answers.length).toBeGreaterThan(0);
  });

  test('its family is explained', () => {
    const [family, ...rest] = name.split(' ');
    expect([family, rest.length === 0 || Object.hasOwn(GROUPS, family ?? '')]).toEqual([family, true]);
  });
});

test('each exit code of an error is documented', () => {
  for (const rule of Object.values(ERRORS)) expect(Object.keys(EXIT_CODES)).toContain(String(rule.exit));
});
