import { METRICS, type MetricDefinition } from '../../src/monitoring/metrics.ts';
import { code, GENERATED, table } from './markdown.ts';

/** docs/reference/metrics.md: every metric of Lifeboat's own. */
export function metricsReference(): string {
  return `${GENERATED}
# Metrics

A worker with \`monitoring.port\` serves them at \`/metrics\`. Each has the label \`group\`, the recovery group, before its own. Instants are seconds
since 1970: an age is \`time() - x\`, and stays true while nobody looks. What is not known is left out, never 0.

Metrics of the **group** are exported by each worker with the role \`control\`, and all of them say the same: take the \`max\`, never the sum. Metrics of a
**worker** say something of the one that exports them. A source is looked at by itself; when a look fails, \`lifeboat_sample_errors_total\` grows, and
the values of the last good one stay.

${table(['metric', 'type', 'labels', 'of the', 'source', 'meaning'], Object.entries(METRICS).map(row))}

Beside them: \`process_*\` and \`nodejs_*\` of the worker's process, and \`temporal_*\` of Temporal's SDK in it. How they are used:
[monitoring](../guides/monitoring.md). What to be woken for: [runbooks](../runbooks/README.md).
`;
}

function row([name, { type, labels, scope, source, help }]: [string, MetricDefinition]): readonly string[] {
  return [code(name), type, labels.map(code).join(', '), scope, source === 'always' ? '' : source, help];
}
