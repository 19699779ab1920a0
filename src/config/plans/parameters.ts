import { nearestName } from '../../domain/nearest-name.ts';
import { suggestion } from '../from-environment.ts';
import type { Issue } from '../secrets.ts';
import { isPlainObject } from '../schema/walk.ts';
import { parametersSchema } from './plan-schema.ts';

const PLACEHOLDER = /\$\{([A-Za-z][A-Za-z0-9_]*)\}/g;
const ONLY_PLACEHOLDER = /^\$\{([A-Za-z][A-Za-z0-9_]*)\}$/;

/** Values by name; null: the key that holds it is left out. */
type Values = ReadonlyMap<string, string | null>;

/**
 * Puts values in the places of `${name}` in the steps of a plan, before it is checked. Values that the plan does not declare, places without a
 * value and malformed declarations are issues.
 */
export function fillParameters(
  document: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, string>>,
): { readonly document: Readonly<Record<string, unknown>>; readonly issues: readonly Issue[] } {
  const declared = parametersSchema.safeParse(document['parameters'] ?? {});
  // The schema of the plan reports them with the rest.
  if (!declared.success) return { document, issues: [] };
  const issues: Issue[] = Object.keys(given)
    .filter((name) => !Object.hasOwn(declared.data, name))
    .map((name) => ({
      path: ['parameters', name],
      message: suggestion('the plan has no such parameter', nearestName(name, Object.keys(declared.data))),
    }));
  const values: Values = new Map(
    Object.entries(declared.data).flatMap(([name, { default: fallback }]) => {
      const value = given[name] ?? fallback;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const steps = fill(document['steps'], values, { path: ['steps'], issues });
  return { document: { ...document, steps }, issues };
}

interface Place {
  readonly path: readonly PropertyKey[];
  readonly issues: Issue[];
}

function fill(value: unknown, values: Values, place: Place): unknown {
  const below = (key: PropertyKey): Place => ({ ...place, path: [...place.path, key] });
  if (typeof value === 'string') return fillText(value, values, place);
  if (Array.isArray(value)) return value.map((one, index) => fill(one, values, below(index)));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, fill(member, values, below(key))] as const)
      .filter(([, member]) => member !== LEFT_OUT),
  );
}

const LEFT_OUT = Symbol('left out');

function fillText(text: string, values: Values, { path, issues }: Place): unknown {
  const alone = ONLY_PLACEHOLDER.exec(text)?.[1];
  if (alone !== undefined && values.get(alone) === null) return LEFT_OUT;
  return text.replaceAll(PLACEHOLDER, (placeholder, name: string) => {
    const value = values.get(name);
    if (value === undefined)
      issues.push({ path, message: `parameter ${name} has no value: give it with --param ${name}=…` });
    return value ?? placeholder;
  });
}
