/**
 * Goal: the dashboard, and Prometheus in the stack, read what workers export.
 * Method: every query is parsed by Prometheus' own grammar; names of metrics and labels are looked up in the code.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT_DIR } from '../../../src/embedded/places.ts';
import { METRICS } from '../../../src/monitoring/metrics.ts';
import { labelsOf, metricsOf } from '../../support/promql/tree.ts';

const read = (path: string): string => readFileSync(join(PROJECT_DIR, path), 'utf8');

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

const dashboard = JSON.parse(read('config/grafana/lifeboat.json')) as Dashboard;
const queries = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
  ...dashboard.annotations.list.map(({ expr }) => ({ title: 'annotations', expr })),
];
/** Of the process itself, by prom-client. */
const FOREIGN = new Set(['process_resident_memory_bytes']);
const KNOWN: ReadonlySet<string> = new Set(
  Object.entries(METRICS).flatMap(([name, { type }]) => (type === 'histogram' ? [`${name}_bucket`] : [name])),
);
const LABELS: ReadonlySet<string> = new Set(Object.values(METRICS).flatMap(({ labels }) => labels));

test.each(queries)('$title: $expr', ({ expr }) => {
  const names = metricsOf(expr);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !KNOWN.has(name) && !FOREIGN.has(name))).toEqual([]);
  expect(labelsOf(expr).filter((label) => !LABELS.has(label) && !['group', 'job', 'le'].includes(label))).toEqual([]);
});

test('what is no query, and what nobody exports, is noticed', () => {
  expect(() => metricsOf('max by (group) (lifeboat_temporal_up')).toThrow('not PromQL');
  expect(KNOWN.has('lifeboat_temporal_down')).toBe(false);
});

test('panels do not lie over each other, and every one shows something', () => {
  const taken = new Map<string, string>();
  for (const { title, targets, gridPos } of dashboard.panels) {
    expect(targets.length).toBeGreaterThan(0);
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect([title, taken.get(`${x},${y}`)]).toEqual([title, undefined]);
        taken.set(`${x},${y}`, title);
      }
  }
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});

test('its variable for the group asks for a metric that there is', () => {
  const group = dashboard.templating.list.find(({ name }) => name === 'group');
  expect(JSON.stringify(group?.query)).toContain('label_values(lifeboat_worker_info, group)');
  expect('lifeboat_worker_info' in METRICS).toBe(true);
});

test('Prometheus of the stack reads the rules, and every worker at the port that it serves', () => {
  const prometheus = parse(read('config/prometheus/prometheus.yml')) as {
    readonly rule_files: readonly string[];
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly static_configs: readonly { readonly targets: readonly string[] }[];
    }[];
  };
  const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
    readonly services: Readonly<
      Record<string, { readonly environment?: Readonly<Record<string, string>>; readonly volumes?: readonly string[] }>
    >;
  };
  expect(services['prometheus']?.volumes).toContain('./config/prometheus/alerts.yaml:/etc/prometheus/alerts.yaml:ro');
  expect(prometheus.rule_files).toEqual(['alerts.yaml']);
  const job = prometheus.scrape_configs.find(({ job_name }) => job_name === 'lifeboat');
  const served = Object.entries(services).flatMap(([name, { environment }]) => {
    const port = environment?.['LIFEBOAT_MONITORING_PORT'];
    return port === undefined ? [] : [`${name}:${port}`];
  });
  expect(job?.static_configs.flatMap(({ targets }) => targets)).toEqual(served);
  expect(served).toHaveLength(2);
});
