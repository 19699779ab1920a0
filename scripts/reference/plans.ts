import * as z from 'zod';
import { planSchema, STEP_CONFIGS } from '../../src/config/plans/plan-schema.ts';
import { leavesOf, type Leaf } from '../../src/config/schema/walk.ts';
import { typeOf } from './configuration.ts';
import { code, GENERATED, table } from './markdown.ts';

/** config/plan.schema.json, for editors and other checkers. */
export function planJsonSchema(): string {
  const schema = z.toJSONSchema(planSchema, { io: 'input', unrepresentable: 'any', override: allowPlaceholders });
  return `${JSON.stringify({ ...schema, title: 'Lifeboat recovery plan' }, undefined, 2)}\n`;
}

/** Where a `config` wants a text of some form, the place of a parameter will do. */
function allowPlaceholders({
  jsonSchema,
  path,
}: {
  jsonSchema: z.core.JSONSchema.BaseSchema;
  path: (string | number)[];
}): void {
  const { type, pattern, format } = jsonSchema;
  if (type !== 'string' || !path.includes('config') || (pattern ?? format) === undefined) return;
  for (const key of ['type', 'pattern', 'format'] as const) delete jsonSchema[key];
  const asked = { type, ...(pattern === undefined ? {} : { pattern }), ...(format === undefined ? {} : { format }) };
  jsonSchema.anyOf = [asked, { type, pattern: PLACEHOLDER }];
}

const PLACEHOLDER = String.raw`\$\{[A-Za-z][A-Za-z0-9_]*\}`;

/** docs/reference/plan-steps.md: every key of a plan, and what each type of step takes. */
export function planReference(): string {
  const leaves = leavesOf(planSchema).filter(({ path }) => !path.includes('config') && path.at(-1) !== 'type');
  const types = Object.entries(STEP_CONFIGS).map(([type, schema]) => {
    const rows = leavesOf(schema).filter(({ path }) => path.length > 0);
    return `### \`${type}\`\n\n${keys(rows)}`;
  });
  return `${INTRODUCTION}\n${keys(leaves)}\n\n## What \`config\` holds, by \`type\`\n\n${types.join('\n\n')}\n\n${UNDO}\n`;
}

function keys(leaves: readonly Leaf[]): string {
  return table(
    ['key', 'value', 'meaning'],
    leaves.map((leaf) => [code(leaf.path.join('.')), typeOf(leaf), leaf.description]),
  );
}

const INTRODUCTION = `${GENERATED}
# Recovery plans: every key

A plan is one JSON file in \`drPlans.dir\` (\`config/plans\`); [the guide](../guides/recovery-plans.md) explains how its steps are run. Unknown keys are errors that
name the nearest known one. \`config/plan.schema.json\` is the same as a JSON Schema. \`*\` stands for a name, or for a place in a list.
Durations are \`90s\`, \`10m\`, \`1d12h\` or ISO 8601. Each step, and each \`compensation\`, also has a \`type\`, which says what its \`config\` holds.
`;

const UNDO = `### As a \`compensation\` only: \`undo\`

Brings back what the restore of the same step replaced; without \`config\`. Of the other types \`backup\`, \`restore\`, \`validation\`, \`service\`, \`notification\`, \`wait\`, \`command\` and
\`repoint\` can be a compensation.`;
