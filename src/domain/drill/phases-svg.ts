import { describeDuration } from './describe-duration.ts';
import type { DrillPhase } from './drill.ts';
import { escapeHtml } from './escape-html.ts';

const WIDTH = 860;
const LABEL = 220;
const TIME = 90;
const ROW = 26;
const BAR = 16;
/** A phase of a millisecond is to be seen. */
const THINNEST = 2;

/** A picture of when each phase began and how long it took: one bar for each, on one scale. No script, no font, no link. */
export function drawPhases(phases: readonly DrillPhase[]): string {
  const endMs = Math.max(1, ...phases.map(({ startMs, durationMs }) => startMs + durationMs));
  const room = WIDTH - LABEL - TIME;
  const rows = phases.map((phase, index) => {
    const x = LABEL + (phase.startMs / endMs) * room;
    const width = Math.max(THINNEST, (phase.durationMs / endMs) * room);
    const y = index * ROW;
    const label = escapeHtml([phase.component, phase.name].filter((part) => part !== null).join(': '));
    const kind = phase.component ?? 'both';
    return [
      `<text x="0" y="${y + BAR - 3}">${label}</text>`,
      `<rect class="${kind}" x="${round(x)}" y="${y}" width="${round(width)}" height="${BAR}" rx="2"/>`,
      `<text x="${round(x + width + 6)}" y="${y + BAR - 3}">${describeDuration(phase.durationMs)}</text>`,
    ].join('');
  });
  const height = Math.max(1, phases.length) * ROW;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="phases of the drill">${rows.join('')}</svg>`;
}

const round = (value: number): string => value.toFixed(1);
