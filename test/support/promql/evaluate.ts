/**
 * Evaluates the part of PromQL that alert rules use, at one instant: selectors, aggregations, arithmetic, comparisons with `on` and `group_left`,
 * set operators, `time()` and `absent()`. What it does not know it refuses; it was compared with Prometheus' own promtool.
 */
import type { Point } from '../metrics-text.ts';
import { find, parseQuery, type QueryNode } from './tree.ts';

type Labels = Readonly<Record<string, string>>;
export interface Element {
  readonly labels: Labels;
  readonly value: number;
}
type Value = number | readonly Element[];

export interface Instant {
  readonly points: readonly Point[];
  readonly timeSeconds: number;
}

/** The vector that a rule gives: it fires where there is anything in it. */
export function evaluate(query: string, instant: Instant): readonly Element[] {
  const value = evaluateNode(parseQuery(query), instant);
  if (typeof value === 'number') throw new Error(`${query}: a number, not a vector`);
  return value;
}

function evaluateNode(node: QueryNode, instant: Instant): Value {
  switch (node.type) {
    case 'NumberDurationLiteral':
      return Number(node.text);
    case 'ParenExpr':
      return evaluateNode(only(node), instant);
    case 'VectorSelector':
      return select(node, instant);
    case 'AggregateExpr':
      return aggregate(node, instant);
    case 'FunctionCall':
      return call(node, instant);
    case 'BinaryExpr':
      return combine(node, instant);
    default:
      throw new Error(`the evaluator of the tests does not know ${node.type}: ${node.text}`);
  }
}

function only({ children, text }: QueryNode): QueryNode {
  const [child] = children;
  if (child === undefined || children.length > 1) throw new Error(`not one expression: ${text}`);
  return child;
}

const MATCHES: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  '=': (value, wanted) => value === wanted,
  '!=': (value, wanted) => value !== wanted,
  '=~': (value, wanted) => new RegExp(`^(?:${wanted})$`).test(value),
  '!~': (value, wanted) => !new RegExp(`^(?:${wanted})$`).test(value),
};

function select(node: QueryNode, { points }: Instant): readonly Element[] {
  const [name] = find(node, 'Identifier');
  const matchers = find(node, 'UnquotedLabelMatcher').map(({ children }) => {
    const [label, operator, wanted] = children.map(({ text }) => text);
    return (labels: Labels): boolean => MATCHES[operator!]!(labels[label!] ?? '', wanted!.slice(1, -1));
  });
  return points.filter((point) => point.name === name?.text && matchers.every((matches) => matches(point.labels)));
}

const AGGREGATIONS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
};

function aggregate(node: QueryNode, instant: Instant): readonly Element[] {
  const [operator, modifier, body] = node.children;
  if (body === undefined || modifier?.children[0]?.type !== 'By') throw new Error(`expected by (…): ${node.text}`);
  const names = find(modifier, 'LabelName').map(({ text }) => text);
  const groups = Map.groupBy(vector(only(body), instant), ({ labels }) => keyOf(labels, names));
  return [...groups.values()].map((elements) => ({
    labels: pick(elements[0]!.labels, names),
    value: AGGREGATIONS[operator!.text]!(elements.map(({ value }) => value)),
  }));
}

function call(node: QueryNode, instant: Instant): Value {
  const [name, body] = node.children;
  if (name?.text === 'time') return instant.timeSeconds;
  if (name?.text !== 'absent' || body === undefined) throw new Error(`the evaluator does not know ${node.text}`);
  return vector(only(body), instant).length > 0 ? [] : [{ labels: {}, value: 1 }];
}

function vector(node: QueryNode, instant: Instant): readonly Element[] {
  const value = evaluateNode(node, instant);
  return typeof value === 'number' ? [{ labels: {}, value }] : value;
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};
const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

function combine(node: QueryNode, instant: Instant): Value {
  const [left, operator] = node.children;
  const right = node.children.at(-1);
  if (left === undefined || operator === undefined || right === undefined) throw new Error(node.text);
  const [a, b] = [evaluateNode(left, instant), evaluateNode(right, instant)];
  const name = operator.text;
  if (['or', 'unless', 'and'].includes(name)) return sets(name, elements(a), elements(b));
  const join = (x: Element, y: number): Element[] => {
    const compare = COMPARISONS[name];
    if (compare !== undefined) return compare(x.value, y) ? [x] : [];
    return [{ labels: x.labels, value: ARITHMETIC[name]!(x.value, y) }];
  };
  if (typeof a === 'number' && typeof b === 'number') return ARITHMETIC[name]!(a, b);
  if (typeof b === 'number') return elements(a).flatMap((x) => join(x, b));
  if (typeof a === 'number') return b.flatMap((y) => [{ labels: y.labels, value: ARITHMETIC[name]!(a, y.value) }]);
  const [on] = find(node, 'MatchingModifierClause').filter((clause) => node.children.includes(clause));
  const names = on && find(on, 'LabelName').map(({ text }) => text);
  // Many on the left may meet one on the right; several on the right for one on the left are as wrong as for Prometheus.
  return a.flatMap((x) => {
    const met = b.filter((y) => keyOf(x.labels, names) === keyOf(y.labels, names));
    if (met.length > 1) throw new Error(`many-to-many: ${node.text}`);
    return met.flatMap((y) => join(x, y.value));
  });
}

function elements(value: Value): readonly Element[] {
  if (typeof value === 'number') throw new Error('a set operator of a number');
  return value;
}

function sets(name: string, a: readonly Element[], b: readonly Element[]): readonly Element[] {
  const has = (all: readonly Element[], one: Element): boolean =>
    all.some(({ labels }) => keyOf(labels) === keyOf(one.labels));
  if (name === 'or') return [...a, ...b.filter((one) => !has(a, one))];
  return a.filter((one) => has(b, one) === (name === 'and'));
}

function keyOf(labels: Labels, names: readonly string[] = Object.keys(labels)): string {
  return JSON.stringify(Object.entries(pick(labels, names)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function pick(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(names.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])));
}
