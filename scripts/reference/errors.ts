import { ERRORS } from '../../src/domain/errors.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { code, GENERATED, table } from './markdown.ts';

/** docs/reference/errors.md: every code. */
export function errorReference(): string {
  const rows = Object.entries(ERRORS)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, rule]) => [code(name), rule.when, rule.retry, String(rule.exit), capitalise(rule.hint)]);
  return `${GENERATED}
# Errors

Every error has a code; programs decide by the code, never by the text. A code is never renamed and never reused for
something else. With \`--json\` an error is \`{"ok":false,"error":{"code","message","hint","retry","details"}}\`.

\`retry\` says whether the same call can succeed: \`never\` – not without a change; \`transient\` – soon, by itself;
\`after\` – once something outside has changed (a server is up, space is free). Workflows retry \`transient\` and
\`after\`, with growing pauses.

${table(['code', 'when', 'retry', 'exit', 'what to do'], rows)}

## Exit codes

${table(
  ['exit', 'meaning'],
  Object.entries(EXIT_CODES).map(([exit, meaning]) => [exit, meaning]),
)}
`;
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
