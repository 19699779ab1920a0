import * as z from 'zod';
import { knownVariables } from '../../src/config/from-environment.ts';
import { flatten } from '../../src/config/layers.ts';
import { configSchema } from '../../src/config/schema/config.ts';
import { type LeafKind, leafKinds } from '../../src/config/schema/leaf.ts';
import { type Leaf, leavesOf, optionsOf, unwrap } from '../../src/config/schema/walk.ts';
import { OTHER_VARIABLES, VARIABLES } from '../../src/config/variables.ts';
import { code, GENERATED, table } from './markdown.ts';

/** config/backup.schema.json, for editors and other checkers. */
export function configurationSchema(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any', override: describeSecrets });
  return `${JSON.stringify({ ...schema, title: 'Lifeboat configuration' }, undefined, 2)}\n`;
}

function describeSecrets({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  if (leafKinds.get(zodSchema)?.kind.startsWith('secret') !== true) return;
  jsonSchema.anyOf = [{ type: 'string', minLength: 1 }, reference('env'), reference('file')];
}

function reference(key: string): z.core.JSONSchema.BaseSchema {
  return {
    type: 'object',
    properties: { [key]: { type: 'string', minLength: 1 } },
    required: [key],
    additionalProperties: false,
  };
}

/** docs/reference/configuration.md: every key and every variable. */
export function configurationReference(): string {
  const defaults = flatten(configSchema.parse({}));
  const leaves = leavesOf(configSchema);
  const sections = [...new Set(leaves.map(sectionOf))].map(
    (name) => [name, leaves.filter((leaf) => sectionOf(leaf) === name)] as const,
  );
  const rows = (inside: readonly Leaf[]): string =>
    table(
      ['key', 'value', 'default', 'variable', 'meaning'],
      inside.map((leaf) => [
        code(keyOf(leaf)),
        typeOf(leaf),
        showDefault(defaults.get(keyOf(leaf))),
        code(variableOf(keyOf(leaf))),
        leaf.description,
      ]),
    );
  const blocks = sections.map(
    ([section, inside]) => `## ${section === '' ? 'At the top' : section}\n\n${rows(inside)}`,
  );
  return `${INTRODUCTION}\n${blocks.join('\n\n')}\n\n${variableSection()}\n`;
}

const INTRODUCTION = `${GENERATED}
# Configuration

Values come from, in this order: a flag of the command line, the environment, the configuration file, the default.
\`lifeboat config show\` prints every effective value with its origin, \`lifeboat config validate\` tries them.
The file is \`config/backup.json\` where it exists, or what \`--config\` or \`LIFEBOAT_CONFIG\` names. Every key may be left out. Unknown keys, and
unknown variables that begin with \`BACKUP_\`, \`REMOTE_STORAGE_\`, \`CROSS_REGION_\` or \`LIFEBOAT_\`, are errors.
Empty variables count as not set.

- **Paths** start at the folder in which the program runs.
- **Durations** are \`90s\`, \`6h\`, \`1d12h\` or ISO 8601 (\`PT6H\`); a number alone is refused, except where seconds are stated.
- **Sizes** are bytes, or text such as \`256MiB\`.
- **Lists** in variables are separated by commas.
- **Secrets** are references: \`{"env": "NAME"}\` or \`{"file": "PATH"}\`; as a variable, \`NAME\` or \`NAME_FILE\`. A literal in the file works, with a warning.
- **PostgreSQL** is found by \`postgres.url\` and the single keys together. A single key wins over the URL when it comes from a higher
  source; from the environment the URL wins, as in libpq; two that disagree in the file are refused. The password file of libpq is used where no
  password is given.
- **Temporal** takes what is not set here from its own environment (\`TEMPORAL_*\`) and profile file.

\`*\` in a key stands for a name, or for a place in a list. \`config/backup.schema.json\` is the same as a JSON Schema.
`;

function variableSection(): string {
  const others = Object.entries(OTHER_VARIABLES).map(([name, meaning]) => [code(name), '', meaning]);
  const mapped = Object.entries(VARIABLES).map(([name, key]) => {
    const file = knownVariables().includes(`${name}_FILE`) ? `also ${code(`${name}_FILE`)}` : '';
    return [code(name), code(key), file];
  });
  return `## All variables\n\n${table(['variable', 'key', ''], [...mapped, ...others])}`;
}

const sectionOf = (leaf: Leaf): string => (leaf.path.length === 1 ? '' : (leaf.path[0] ?? ''));

const keyOf = (leaf: Leaf): string => leaf.path.join('.');

function variableOf(key: string): string {
  return Object.entries(VARIABLES).find(([, mapped]) => mapped === key)?.[0] ?? '';
}

function showDefault(value: unknown): string {
  return value === undefined ? '' : code(JSON.stringify(value));
}

/** How kinds of values are called. */
const KIND_NAMES: Readonly<Record<LeafKind, string>> = {
  path: 'path',
  program: 'program',
  secret: 'secret',
  secretUrl: 'secret (URL)',
  duration: 'duration',
  size: 'size',
};

/** The type of a key in words. */
export function typeOf(leaf: Leaf): string {
  return leaf.kind === undefined ? jsonType(leaf.schema) : KIND_NAMES[leaf.kind];
}

function jsonType(schema: z.core.$ZodType): string {
  const kind = leafKinds.get(schema)?.kind;
  if (kind !== undefined) return KIND_NAMES[kind];
  const inner = unwrap(schema);
  if (inner instanceof z.ZodEnum) return inner.options.map((option) => code(String(option))).join(', ');
  if (inner instanceof z.ZodLiteral) return [...inner.values].map((value) => code(JSON.stringify(value))).join(', ');
  if (inner instanceof z.ZodUnion) return optionsOf(inner).map(jsonType).join(' or ');
  if (inner instanceof z.ZodArray) return 'list';
  const kindOfInner = leafKinds.get(inner)?.kind;
  if (kindOfInner !== undefined) return KIND_NAMES[kindOfInner];
  return inner instanceof z.ZodNumber ? 'number' : inner instanceof z.ZodBoolean ? 'boolean' : 'string';
}
