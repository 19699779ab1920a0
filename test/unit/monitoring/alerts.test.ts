/**
 * Goal: an alert that should wake somebody does, and one that should not does not.
 * Method: every rule is evaluated on the series of a healthy group, among which is everything that it reads, and on the same with one thing wrong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT_DIR } from '../../../src/embedded/places.ts';
import { METRICS } from '../../../src/monitoring/metrics.ts';
import type { Point } from '../../support/metrics-text.ts';
import { evaluate } from '../../support/promql/evaluate.ts';
import { labelsOf, metricsOf } from '../../support/promql/tree.ts';
import { AWAY, HEALTHY, NOW, troubled, TROUBLES } from './alert-series.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

const file = parse(readFileSync(join(PROJECT_DIR, 'config/prometheus/alerts.yaml'), 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const RULES = file.groups.flatMap(({ rules }) => rules);
const rule = (name: string): string => RULES.find(({ alert }) => alert === name)?.expr ?? `no such alert: ${name}`;
const fires = (query: string, points: readonly Point[]): boolean =>
  evaluate(query, { points, timeSeconds: NOW }).length > 0;

test.each(RULES)('$alert reads metrics that there are, and is silent about a healthy group', ({ expr }) => {
  const names = metricsOf(expr);
  expect(names.filter((name) => name !== 'up' && !(name in METRICS))).toEqual([]);
  expect(names.filter((name) => !HEALTHY.some((point) => point.name === name))).toEqual([]);
  expect(fires(expr, HEALTHY)).toBe(false);
});

test('every alert has a trouble that it is tried with', () => {
  const tried = [...TROUBLES.map(({ alert }) => alert), ...AWAY.map(({ alert }) => alert)];
  expect([...new Set(tried)].toSorted()).toEqual(RULES.map(({ alert }) => alert).toSorted());
});

test.each(TROUBLES)('$alert fires where $why', (trouble) => {
  expect(fires(rule(trouble.alert), troubled(trouble))).toBe(true);
});

test.each(AWAY)('$alert fires where nothing is told of $metric', ({ alert, metric }) => {
  expect(
    fires(
      rule(alert),
      HEALTHY.filter(({ name }) => name !== metric),
    ),
  ).toBe(true);
});

test('one worker that has it right is enough where the others say otherwise', () => {
  const other = { name: 'lifeboat_temporal_up', labels: { group: 'default', instance: 'b' }, value: 0 };
  expect(fires(rule('LifeboatTemporalUnreachable'), [...HEALTHY, other])).toBe(false);
});

test.each(RULES)('$alert has a page that says what to do', (found) => {
  const { alert, labels, annotations } = found;
  expect(['info', 'warning', 'critical']).toContain(labels.severity);
  expect(found.for ?? '1m').toMatch(/^\d+[mh]$/);
  const page = readFileSync(join(PROJECT_DIR, annotations.runbook_url), 'utf8');
  expect(page).toContain(`# ${alert}\n\n**${annotations.summary}** · ${labels.severity}\n`);
  expect(page).toMatch(/\n## Look\n\n- [^]+\n## Do\n\n- /);
  const name = annotations.runbook_url.replace('docs/runbooks/', '');
  expect(readFileSync(join(PROJECT_DIR, 'docs/runbooks/README.md'), 'utf8')).toContain(
    `| [${alert}](${name}) | ${labels.severity} |`,
  );
});

test('there is no page of an alert that is gone', () => {
  const pages = RULES.map(({ annotations }) => annotations.runbook_url.split('/').at(-1));
  const files = readdirSync(join(PROJECT_DIR, 'docs/runbooks'));
  expect(files.toSorted()).toEqual([...pages, 'README.md'].map(String).toSorted());
});

test('what a description names of a series is there to be named', () => {
  for (const { alert, annotations, expr } of RULES) {
    const named = [...annotations.description.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    const kept = [...labelsOf(expr), ...(alert === 'LifeboatWorkerAway' ? ['instance'] : [])];
    expect([alert, named.filter((label) => !kept.includes(label!))]).toEqual([alert, []]);
  }
});
