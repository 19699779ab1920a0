/** Reads Prometheus' text format: what a scrape gives. */

export interface Point {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Series {
  readonly points: readonly Point[];
  /** The one point of this name whose labels include these; undefined where there is none. Throws where there are several. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  has(name: string): boolean;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?/g;

export function readMetrics(text: string): Series {
  const points = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(readLine);
  const found = (name: string, labels: Readonly<Record<string, string>>): readonly Point[] =>
    points.filter(
      (point) => point.name === name && Object.entries(labels).every(([key, value]) => point.labels[key] === value),
    );
  return {
    points,
    value(name, labels = {}) {
      const [first, second] = found(name, labels);
      if (second !== undefined) throw new Error(`several of ${name}${JSON.stringify(labels)}`);
      return first?.value;
    },
    has: (name) =>
      points.some((point) => point.name.replace(/_(?:bucket|sum|count)$/, '') === name || point.name === name),
  };
}

function readLine(line: string): Point {
  const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? [];
  if (name === '') throw new Error(`not Prometheus' text format: ${line}`);
  const pairs = [...labels.matchAll(LABEL)].map(([, key = '', text = '']) => [key, text.replaceAll(/\\(.)/g, '$1')]);
  return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: numberOf(value) };
}

function numberOf(text: string): number {
  const special: Readonly<Record<string, number>> = {
    '+Inf': Number.POSITIVE_INFINITY,
    '-Inf': Number.NEGATIVE_INFINITY,
  };
  return special[text] ?? Number(text);
}
