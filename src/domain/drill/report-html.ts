import type { Check } from '../backup.ts';
import { describeDuration } from './describe-duration.ts';
import type { DrillReport } from './drill.ts';
import { escapeHtml } from './escape-html.ts';
import { drawPhases } from './phases-svg.ts';

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#1b1f24}
h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3em .6em;border-bottom:1px solid #d8dee4;vertical-align:top;overflow-wrap:anywhere}
.verdict{display:inline-block;padding:.1em .6em;border-radius:4px;color:#fff;font-weight:600}
.pass{background:#1a7f37}.fail{background:#cf222e}.incomplete,.skip{background:#9a6700}
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#1b1f24}
rect.postgres{fill:#33658a}rect.redis{fill:#c0392b}rect.both{fill:#7f8c8d}code{font-size:.9em;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}svg text{fill:#e6edf3}th,td{border-color:#30363d}}`;

/**
 * The report as one file that needs nothing else: no script, no link, no font. Everything that comes from outside is escaped.
 * @param sha256 of `report.json` as it is stored, hex: who has both can tell that they belong together
 */
export function renderDrillReport(report: DrillReport, sha256: string): string {
  const { drillId, verdict, reasons, phases, checks } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(drillId)}: ${verdict}</title><style>${STYLE}</style></head><body>
<h1>Recovery drill <span class="verdict ${verdict}">${verdict}</span></h1>
${reasons.length === 0 ? '' : `<ul>${reasons.map((reason) => `<li>${escapeHtml(reason)}</li>`).join('')}</ul>`}
<table>${factsOf(report)
    .map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
    .join('\n')}</table>
<h2>Phases</h2>
${phases.length === 0 ? '<p>None was begun.</p>' : drawPhases(phases)}
<h2>Checks</h2>
<table><tr><th>check</th><th></th><th>expected</th><th>actual</th><th></th></tr>
${checks.map(rowOf).join('\n')}</table>
<h2>Proof</h2>
<p>SHA-256 of report.json: <code>${escapeHtml(sha256)}</code></p>
</body></html>
`;
}

function rowOf({ name, status, expected, actual, message }: Check): string {
  const cells = [expected, actual, message].map((text) => `<td>${escapeHtml(text)}</td>`).join('');
  return `<tr><td>${escapeHtml(name)}</td><td><span class="verdict ${status}">${status}</span></td>${cells}</tr>`;
}

function factsOf(report: DrillReport): [string, string][] {
  const { point, objectives, rtoMs, rpoMs, behindNewestMs, nextDueAt } = report;
  const none = 'none set';
  return [
    ['drill', report.drillId],
    ['group', report.group],
    ['asked for by', report.requestedBy],
    ['run', `${report.workflowId} ${report.runId}`],
    ['began', report.startedAt],
    ['ended', report.finishedAt],
    ['point', point === null ? 'none could be chosen' : `${point.recoveryPoint.time} (${point.how})`],
    ['restored from', point === null ? '' : `${point.backupId}${point.replay === null ? '' : ' and the journals'}`],
    ['components', point?.components.join(', ') ?? ''],
    ['read from', point?.from ?? 'the repository'],
    ['time to recover (RTO)', `${durationOr(rtoMs)}; objective: ${durationOr(objectives.rtoMs, none)}`],
    ['data that would have been lost (RPO)', `${durationOr(rpoMs)}; objective: ${durationOr(objectives.rpoMs, none)}`],
    ['behind the newest point', durationOr(behindNewestMs)],
    ['backups read whole', report.readWhole.join(', ') || 'none'],
    ['next drill due', nextDueAt ?? 'drill.every is not set'],
  ];
}

function durationOr(ms: number | null, instead = 'not measured'): string {
  return ms === null ? instead : describeDuration(ms);
}
