import { isPlainObject } from './schema/walk.ts';

/** Where an effective value comes from; `name` is the file, the variable or the flag. */
export interface Origin {
  readonly kind: 'default' | 'file' | 'environment' | 'flag';
  readonly name: string;
}

/** One source of values: a tree like the configuration file, and the origin of each of its values by dotted key. */
export interface Layer {
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: ReadonlyMap<string, Origin>;
}

/** A layer from single values by dotted key. */
export function layerOf(entries: Iterable<readonly [key: string, value: unknown, origin: Origin]>): Layer {
  const values: Record<string, unknown> = {};
  const origins = new Map<string, Origin>();
  for (const [key, value, origin] of entries) {
    setAt(values, key.split('.'), value);
    origins.set(key, origin);
  }
  return { values, origins };
}

/** A layer from a whole tree, such as a file. Arrays count as one value. */
export function layerOfTree(values: Readonly<Record<string, unknown>>, origin: Origin): Layer {
  const origins = new Map<string, Origin>();
  for (const key of flatten(values).keys()) origins.set(key, origin);
  return { values, origins };
}

/** Later layers win, value by value. */
export function mergeLayers(layers: readonly Layer[]): Layer {
  const origins = new Map<string, Origin>();
  let values: Record<string, unknown> = {};
  for (const layer of layers) {
    values = mergeTrees(values, layer.values);
    for (const [key, origin] of layer.origins) origins.set(key, origin);
  }
  return { values, origins };
}

/** Values by dotted key; arrays, empty objects and everything that is not a plain object count as one value. */
export function flatten(tree: Readonly<Record<string, unknown>>, prefix = ''): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  for (const [key, value] of Object.entries(tree)) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (isPlainObject(value) && Object.keys(value).length > 0) {
      for (const [inner, innerValue] of flatten(value, path)) flat.set(inner, innerValue);
    } else {
      flat.set(path, value);
    }
  }
  return flat;
}

/** The origin of a key, of the value that holds it, or of a value inside it. */
export function originOf(origins: ReadonlyMap<string, Origin>, path: readonly PropertyKey[]): Origin | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const origin = origins.get(path.slice(0, length).map(String).join('.'));
    if (origin) return origin;
  }
  const prefix = `${path.map(String).join('.')}.`;
  return [...origins].find(([key]) => path.length > 0 && key.startsWith(prefix))?.[1];
}

function mergeTrees(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isPlainObject(below) && isPlainObject(value) ? mergeTrees(below, value) : value;
  }
  return merged;
}

function setAt(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  const inner = isPlainObject(tree[key]) ? tree[key] : {};
  tree[key] = inner;
  setAt(inner, rest, value);
}
