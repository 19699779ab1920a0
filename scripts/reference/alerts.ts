import { ALERT_EVENTS } from '../../src/domain/alerts/alert-terms.ts';
import { ALERT_KIND_NAMES, ALERT_KINDS } from '../../src/domain/alerts/alert-kinds.ts';
import { asSentence } from '../../src/domain/alerts/message-of.ts';
import { formatDuration } from '../../src/domain/duration.ts';
import { code, GENERATED, table } from './markdown.ts';

/** docs/reference/alerts.md: every kind of alert. */
export function alertReference(): string {
  const rows = ALERT_KIND_NAMES.map((kind) => {
    const { event, severity, patienceMs, meaning, hint } = ALERT_KINDS[kind];
    const patience = patienceMs === 0 ? 'at once' : `after ${formatDuration(patienceMs)}`;
    return [code(kind), code(event), severity, patience, meaning, asSentence(hint)];
  });
  return `${GENERATED}
# Alerts

What is looked for, and what to do about it. \`quiet\` takes these names; \`events\` of a channel takes ${ALERT_EVENTS.map(code).join(', ')}.
The severity is the worst that a kind can be. How alerts are told is in [the guide](../guides/alerts.md).

${table(['kind', 'event', 'severity', 'told', 'meaning', 'what to do'], rows)}

## What a webhook and a command get

One JSON document, by POST or on standard input:

| field | meaning |
|---|---|
| \`event\` | the event of the table; \`test\` for a test, \`recovery\` for what a step of a recovery plan tells |
| \`title\`, \`text\` | for people |
| \`isAlarm\` | somebody has to act |
| \`facts\` | short texts by name |
| \`notice.id\` | the same for every attempt to tell it |
| \`notice.state\` | \`fire\`, \`remind\`, \`resolve\`, \`pass\` (it was over before it could be told), \`test\` |
| \`notice.occurrence\` | the same from the first message to the last |
| \`notice.at\`, \`notice.group\` | when it was found, and in which recovery group |
| \`notice.alert\` | \`key\`, \`kind\`, \`severity\`, \`summary\`, \`hint\`, \`facts\`, \`since\` |

\`notice\` is absent in what a step of a recovery plan tells.
`;
}
