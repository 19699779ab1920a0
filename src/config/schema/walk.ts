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

/** What is inside `.optional()`, `.default()` and the like. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const isWrapped =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable;
  return isWrapped ? unwrap(schema.def.innerType) : schema;
}

/** The parts of a union, or the one schema that is none. */
export function optionsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (!(schema instanceof z.ZodUnion)) return [schema];
  const options: readonly z.core.$ZodType[] = schema.options;
  return options;
}

/** Schemas of an object by key. */
function shapeOf(schema: z.ZodObject): Readonly<Record<string, z.core.$ZodType>> {
  return schema.shape;
}

/** Schemas under one key of a node: more than one where a union has options; none for an unknown key. */
export function childSchemas(node: z.core.$ZodType, key: string): readonly z.core.$ZodType[] {
  return structures(node).flatMap((schema) => {
    if (schema instanceof z.ZodObject) {
      const shape = shapeOf(schema);
      const child = Object.hasOwn(shape, key) ? shape[key] : undefined;
      return child === undefined ? [] : [child];
    }
    if (schema instanceof z.ZodRecord) return [schema.valueType];
    return schema instanceof z.ZodArray ? [schema.element] : [];
  });
}

/** Names that a node accepts as keys; empty for records, arrays and plain values. */
export function knownKeys(node: z.core.$ZodType): readonly string[] {
  return [
    ...new Set(structures(node).flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []))),
  ];
}

/** Objects, records and arrays in a node; a union gives those of all its options. */
function structures(node: z.core.$ZodType): readonly z.core.$ZodType[] {
  const schema = unwrap(node);
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord || schema instanceof z.ZodArray) return [schema];
  return schema instanceof z.ZodUnion ? optionsOf(schema).flatMap(structures) : [];
}

/** The schemas that stand at a path; empty when the path leads nowhere. */
export function schemasAt(root: z.core.$ZodType, path: readonly PropertyKey[]): readonly z.core.$ZodType[] {
  return path.reduce<readonly z.core.$ZodType[]>(
    (nodes, key) => nodes.flatMap((node) => childSchemas(node, String(key))),
    [root],
  );
}

export function kindOf(schema: z.core.$ZodType): LeafKind | undefined {
  return leafKinds.get(unwrap(schema))?.kind ?? leafKinds.get(schema)?.kind;
}

/** All values of the configuration, in the order of the schema. */
export function leavesOf(node: z.core.$ZodType, path: readonly string[] = []): readonly Leaf[] {
  const schema = unwrap(node);
  if (schema instanceof z.ZodObject) {
    return Object.entries(shapeOf(schema)).flatMap(([key, child]) => leavesOf(child, [...path, key]));
  }
  const inside = structures(node);
  if (inside.length === 0 || isListOfPlain(schema)) return [leaf(node, path)];
  if (schema instanceof z.ZodUnion) return mergeLeaves(inside.flatMap((option) => leavesOf(option, path)));
  return mergeLeaves(childSchemas(schema, '*').flatMap((child) => leavesOf(child, [...path, '*'])));
}

function isListOfPlain(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodArray) return structures(schema.element).length === 0;
  // A command line or an argument vector: one value for the reader, though one of its shapes is an array.
  return schema instanceof z.ZodUnion && optionsOf(schema).some((option) => structures(option).length === 0);
}

function leaf(schema: z.core.$ZodType, path: readonly string[]): Leaf {
  const described = z.globalRegistry.get(schema) ?? z.globalRegistry.get(unwrap(schema));
  return { path, schema, kind: kindOf(schema), description: described?.description ?? '' };
}

/** Options of a union share keys; the first one speaks for all. */
function mergeLeaves(leaves: readonly Leaf[]): readonly Leaf[] {
  return [...new Map(leaves.toReversed().map((each) => [each.path.join('.'), each])).values()].toReversed();
}

type Visit = (value: unknown, kind: LeafKind | undefined, path: readonly string[]) => unknown;

/** A copy of a tree in which `visit` has answered for every value; what the schema does not know stays as it is. */
export function mapLeaves(node: z.core.$ZodType, value: unknown, visit: Visit, path: readonly string[] = []): unknown {
  const visitChild = (key: string, child: unknown): unknown => {
    const options = childSchemas(node, key);
    const schema = options.find((option) => kindOf(option) !== undefined) ?? options[0];
    return schema === undefined ? child : mapLeaves(schema, child, visit, [...path, key]);
  };
  const hasInside = structures(node).length > 0;
  if (hasInside && Array.isArray(value)) return value.map((item, index) => visitChild(String(index), item));
  if (!hasInside || !isPlainObject(value)) return visit(value, kindOf(node), path);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, visitChild(key, child)]));
}

/** A tree of values, as opposed to a value such as an array or a secret. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || isSecret(value)) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}
