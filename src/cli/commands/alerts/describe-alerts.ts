import type { AlertsView } from '../../../contract/alerts.ts';
import type { ActiveAlert } from '../../../domain/alerts/alert.ts';
import type { Colors } from '../../output.ts';
import { formatElapsed } from '../../units.ts';

const COLORS = { critical: 'red', warning: 'yellow', info: 'cyan' } as const;

/** A paragraph for each alert, and a line for what could not be seen or told. */
export function describeAlerts(view: AlertsView, colors: Colors): string[] {
  const { alerts, lookedAt, problem, unseen, channels } = view;
  return [
    alerts.length === 0 ? describeNone(lookedAt) : `${alerts.length} alerts, as of ${lookedAt ?? 'never'}`,
    ...alerts.flatMap((alert) => [describeAlert(alert, colors), `  ${alert.hint}`]),
    ...(problem === null ? [] : [colors.red(`the last look came to nothing: ${problem}`)]),
    ...unseen.map(({ area, message }) => colors.yellow(`not seen: ${area}: ${message}`)),
    ...channels.flatMap((channel) => describeChannel(channel, colors)),
  ];
}

/** Lines of `status`. */
export function describeAlertState({ alerts, lookedAt }: AlertsView, colors: Colors): string[] {
  if (alerts.length === 0) return [`alerts: ${lookedAt === null ? 'nobody has looked yet' : 'none'}`];
  const shown = alerts.slice(0, SHOWN).map((alert) => `  ${describeAlert(alert, colors)}`);
  const more = alerts.length > SHOWN ? [`  and ${alerts.length - SHOWN} more: \`lifeboat alerts list\``] : [];
  return [`alerts: ${alerts.length}`, ...shown, ...more];
}

/** More would push the rest of a status off the screen. */
const SHOWN = 5;

function describeNone(lookedAt: string | null): string {
  return lookedAt === null ? 'nobody has looked for alerts yet' : `no alerts, as of ${lookedAt}`;
}

/** One line: how bad, what, since when, and whether somebody was told. */
function describeAlert({ severity, kind, summary, since, firedAt }: ActiveAlert, colors: Colors): string {
  const age = formatElapsed(Math.max(0, Date.now() - Date.parse(since)));
  const told = firedAt === null ? ', not told yet: it may pass' : '';
  return `${colors[COLORS[severity]](severity.padEnd(8))}  ${kind}: ${summary} (for ${age}${told})`;
}

function describeChannel(channel: AlertsView['channels'][number], colors: Colors): string[] {
  const { name, pending, dropped, lastError, nextAt } = channel;
  if (pending === 0 && dropped === 0) return [];
  const next = nextAt === null ? '' : `; next attempt ${nextAt}`;
  const lost = dropped === 0 ? '' : `, ${dropped} given up`;
  return [colors.yellow(`channel ${name}: ${pending} messages wait${lost}: ${lastError ?? 'being told'}${next}`)];
}
