import * as z from 'zod';
import { isSecret } from '../../domain/secret.ts';
import { type LeafKind, leafKinds } from './leaf.ts';

/** One value of the configuration; `*` stands for a name in a record or a place in an array. */
export interface Leaf {
  readonly path: readonly string[];
  readonly schema: z.core.$ZodType;
  readonly kind: LeafKind | undefined;
  readonly description: string;
}

type Inner = { readonly innerType: z.core.$ZodType };

/** What is inside `.optional()`, `.default()` and the like. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  switch (schema._zod.def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
    case 'readonly':
      return unwrap((schema._zod.def as unknown as Inner).innerType);
    default:
      return schema;
  }
}

/** Schemas under one key of a node: more than one where a union has options; none for an unknown key. */
export function childSchemas(node: z.core.$ZodType, key: string): readonly z.core.$ZodType[] {
  return structures(node).flatMap((schema) => {
    if (schema instanceof z.ZodObject) return key in schema.shape ? [schema.shape[key] as z.core.$ZodType] : [];
    if (schema instanceof z.ZodRecord) return [schema.valueType as z.core.$ZodType];
    return schema instanceof z.ZodArray ? [schema.element as z.core.$ZodType] : [];
  });
}

/** Names that a node accepts as keys; empty for records, arrays and plain values. */
export function knownKeys(node: z.core.$ZodType): readonly string[] {
  return [...new Set(structures(node).flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : [])))];
}

/** Objects, records and arrays in a node; a union gives those of all its options. */
function structures(node: z.core.$ZodType): readonly z.core.$ZodType[] {
  const schema = unwrap(node);
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord || schema instanceof z.ZodArray) return [schema];
  return schema instanceof z.ZodUnion ? schema.options.flatMap((option) => structures(option as z.core.$ZodType)) : [];
}

/** The schemas that stand at a path; empty when the path leads nowhere. */
export function schemasAt(root: z.core.$ZodType, path: readonly PropertyKey[]): readonly z.core.$ZodType[] {
  return path.reduce<readonly z.core.$ZodType[]>((nodes, key) => nodes.flatMap((node) => childSchemas(node, String(key))), [root]);
}

export function kindOf(schema: z.core.$ZodType): LeafKind | undefined {
  return leafKinds.get(unwrap(schema))?.kind ?? leafKinds.get(schema)?.kind;
}

/** All values of the configuration, in the order of the schema. */
export function leavesOf(node: z.core.$ZodType, path: readonly string[] = []): readonly Leaf[] {
  const schema = unwrap(node);
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, child]) => leavesOf(child as z.core.$ZodType, [...path, key]));
  }
  const inside = structures(node);
  if (inside.length === 0 || isListOfPlain(schema)) return [leaf(node, path)];
  if (schema instanceof z.ZodUnion) return mergeLeaves(inside.flatMap((option) => leavesOf(option, path)));
  return mergeLeaves(childSchemas(schema, '*').flatMap((child) => leavesOf(child, [...path, '*'])));
}

function isListOfPlain(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodArray) return structures(schema.element as z.core.$ZodType).length === 0;
  // A command line or an argument vector: one value for the reader, though one of its shapes is an array.
  return schema instanceof z.ZodUnion && schema.options.some((option) => structures(option as z.core.$ZodType).length === 0);
}

function leaf(schema: z.core.$ZodType, path: readonly string[]): Leaf {
  const described = z.globalRegistry.get(schema) ?? z.globalRegistry.get(unwrap(schema));
  return { path, schema, kind: kindOf(schema), description: described?.description ?? '' };
}

/** Options of a union share keys; the first one speaks for all. */
function mergeLeaves(leaves: readonly Leaf[]): readonly Leaf[] {
  return [...new Map(leaves.toReversed().map((each) => [each.path.join('.'), each])).values()].toReversed();
}

/** Gives every value that stands at a leaf of `kinds` to `visit` and puts the answer in its place; the rest is copied. */
export function mapLeaves<T>(
  node: z.core.$ZodType,
  value: T,
  visit: (value: unknown, kind: LeafKind | undefined, path: readonly string[]) => unknown,
  path: readonly string[] = [],
): T {
  if (Array.isArray(value) && structures(node).length > 0) {
    return value.map((item, index) => visitChild(node, String(index), item)) as T;
  }
  if (isPlainObject(value) && structures(node).length > 0) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, visitChild(node, key, child)])) as T;
  }
  return visit(value, kindOf(node), path) as T;

  function visitChild(parent: z.core.$ZodType, key: string, child: unknown): unknown {
    const options = childSchemas(parent, key);
    const schema = options.find((option) => kindOf(option) !== undefined) ?? options[0];
    return schema === undefined ? child : mapLeaves(schema, child, visit, [...path, key]);
  }
}

/** A tree of values, as opposed to a value such as an array or a secret. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || isSecret(value)) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}
