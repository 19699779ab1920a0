import type { AlertsView } from '../../../contract/alerts.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import { defineCommand } from '../../command.ts';
import { flag } from '../../options.ts';
import { describeAlerts } from './describe-alerts.ts';
import { withAlerts } from './with-alerts.ts';

/** `alerts list`: what is wrong now. */
export const alertsList = defineCommand({
  name: 'alerts list',
  summary: 'what is wrong now, how bad it is, and what to do',
  description:
    'Looks at everything first; --known shows the last look instead. Alerts that somebody has to act on are a failure (exit 3); those that only tell of something are not.',
  arguments: {},
  options: { known: flag('do not look now: what the last look has found') },
  examples: ['alerts list', 'alerts list --json | jq ".alerts[] | {kind, severity, summary}"'],
  answers: [
    'alerts[] {key, kind, severity: critical|warning|info, summary, hint, facts, since, foundAt, firedAt, lastToldAt, reminders}',
    'lookedAt',
    'problem',
    'unseen[] {area, message}',
    'channels[] {name, pending, dropped, lastError, nextAt}',
  ],
  exits: [3, 7],
  run: (context, { options: { known } }) =>
    withAlerts(context, async (manager) => {
      const view = await (known ? manager.readAlerts() : manager.lookForAlerts());
      const failure = failureOf(view);
      return {
        json: { ...view },
        text: () => describeAlerts(view, context.output.colors).join('\n'),
        ...(failure === undefined ? {} : { failure }),
      };
    }),
});

function failureOf({ alerts }: AlertsView): LifeboatError | undefined {
  const pressing = alerts.filter(({ severity, firedAt }) => severity !== 'info' && firedAt !== null);
  if (pressing.length === 0) return undefined;
  const [first] = pressing;
  const more = pressing.length === 1 ? '' : `, and ${pressing.length - 1} more`;
  return new LifeboatError('ALERTS_ACTIVE', `${first?.summary ?? ''}${more}`, {
    details: { alerts: pressing.map(({ key }) => key) },
    ...(first === undefined ? {} : { hint: first.hint }),
  });
}
