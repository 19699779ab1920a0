import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** A node of a query with its text. */
export interface QueryNode {
  readonly type: string;
  readonly text: string;
  readonly children: readonly QueryNode[];
}

/** The query as Prometheus' own grammar sees it. Throws with the place where it is none. */
export function parseQuery(query: string): QueryNode {
  const root = view(parser.parse(query).topNode, query);
  const [wrong] = find(root, '⚠');
  const [expression] = root.children;
  if (wrong === undefined && expression !== undefined && root.children.length === 1) return expression;
  throw new Error(`not PromQL: ${query}`);
}

function view(node: SyntaxNode, query: string): QueryNode {
  const children: QueryNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(view(child, query));
  return { type: node.type.isError ? '⚠' : node.name, text: query.slice(node.from, node.to), children };
}

/** All nodes of a type, the node itself among them. */
export function find(node: QueryNode, type: string): readonly QueryNode[] {
  return [...(node.type === type ? [node] : []), ...node.children.flatMap((child) => find(child, type))];
}

/** Names of the metrics that a query reads, each once. */
export function metricsOf(query: string): readonly string[] {
  return [...new Set(find(parseQuery(query), 'Identifier').map(({ text }) => text))];
}

/** Labels that a query names: in matchers, in `by` and in `on`. */
export function labelsOf(query: string): readonly string[] {
  return [...new Set(find(parseQuery(query), 'LabelName').map(({ text }) => text))];
}
