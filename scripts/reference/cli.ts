import type { Command } from '../../src/cli/command.ts';
import { COMMON_EXITS, EXIT_CODES, type ExitCode } from '../../src/cli/exit-codes.ts';
import { GLOBAL_OPTIONS } from '../../src/cli/globals.ts';
import { flagName, type Options } from '../../src/cli/options.ts';
import { COMMANDS } from '../../src/cli/registry.ts';
import { code, GENERATED, table } from './markdown.ts';

/** docs/reference/cli.md: every command with its options, answer and exit codes. */
export function cliReference(): string {
  return `${GENERATED}
# Command line

\`lifeboat\` and \`npm run backup:cli\` are the same program. The answer goes to stdout, progress and notes to stderr. With
\`--json\` stdout is exactly one object: \`{"ok":true, …}\`, or \`{"ok":false,"error":{"code","message","hint","retry","details"}}\`
([errors](errors.md)). Fields are added to answers, never renamed or removed. Settings are in [configuration](configuration.md).

\`npm run backup:cli restore ID --drop-existing\` works without \`--\` in front: options that npm takes for itself are taken back.
What stays ambiguous is refused with the line to type. Only \`--yes\` always needs the \`--\`, because machines that
answer npm's own questions with yes have not agreed to a restore.

For programs: npm prints lines of its own around the answer, and after a failure an object of its own when it has seen
\`--json\`. \`npm --silent run backup:cli -- backup list --json\`, or \`lifeboat\` itself, prints the one object alone.

Times are ISO 8601 with an offset (\`2024-01-15T10:30:00+01:00\`, \`2024-01-15T09:30Z\`) or \`now-15m\`; a time without an offset is refused.
\`NO_COLOR\` is honoured.

## Options of every command

${optionTable(GLOBAL_OPTIONS)}

## Exit codes

${table(
  ['exit', 'meaning'],
  Object.entries(EXIT_CODES).map(([exit, meaning]) => [exit, meaning]),
)}

${COMMANDS.map(describeCommand).join('\n\n')}
`;
}

function describeCommand(command: Command): string {
  const words = Object.entries(command.arguments).map(
    ([name, { arity }]) => ({ one: `<${name}>`, optional: `[${name}]`, many: `[${name}...]` })[arity],
  );
  const exits = [...new Set<ExitCode>([...COMMON_EXITS, ...command.exits])].toSorted((left, right) => left - right);
  const blocks = [
    `## ${['lifeboat', command.name, ...words].join(' ')}`,
    `${command.summary.slice(0, 1).toUpperCase()}${command.summary.slice(1)}. ${command.description ?? ''}`.trim(),
    Object.entries(command.arguments).length === 0
      ? ''
      : table(
          ['argument', 'meaning'],
          Object.entries(command.arguments).map(([name, { description }]) => [code(name), description]),
        ),
    Object.keys(command.options).length === 0 ? '' : optionTable(command.options),
    `\`\`\`bash\n${command.examples.map((example) => `lifeboat ${example}`).join('\n')}\n\`\`\``,
    `Answer: ${command.answers.map(code).join(', ')}. Exit codes: ${exits.join(', ')}.`,
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function optionTable(options: Options): string {
  return table(
    ['option', 'meaning'],
    Object.entries(options).map(([key, spec]) => [
      code(`${flagName(key)}${spec.takes === 'nothing' ? '' : ` ${spec.placeholder}`}`),
      `${spec.description}${spec.takes === 'values' ? ' (repeatable)' : ''}`,
    ]),
  );
}
