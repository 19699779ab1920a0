import type { Notice } from './alert.ts';
import { makeAlert } from './make-alert.ts';

/** What a channel is told when somebody tries it: nothing that could be taken for trouble. */
export function testNotice(asked: {
  readonly channel: string;
  readonly group: string;
  readonly requestedBy: string;
  readonly runId: string;
  readonly at: string;
}): Notice {
  const { channel, group, requestedBy, runId, at } = asked;
  const occurrence = `${group}/test/${channel}@${runId}`;
  const alert = makeAlert('operation-succeeded', `test-of-${channel}`, {
    summary: `this is a test of channel ${channel}, asked for by ${requestedBy}; nothing has happened`,
    since: at,
    facts: { channel, requestedBy },
  });
  return { id: `${occurrence}/test`, state: 'test', at, group, occurrence, alert };
}
