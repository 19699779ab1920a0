import { workflowInfo } from '@temporalio/workflow';
import type { TestChannelInput } from '../contract/alerts.ts';
import { testNotice } from '../domain/alerts/test-notice.ts';
import { tell } from './support/activity-options.ts';

/** Tells one channel that it is tried, once: whoever tries it wants to know at once what is wrong. */
export async function testChannelWorkflow({ channel, group, requestedBy }: TestChannelInput): Promise<void> {
  const { runId } = workflowInfo();
  const notice = testNotice({ channel, group, requestedBy, runId, at: new Date().toISOString() });
  await tell(`try channel ${channel}`).tellChannel({ channel, notice });
}
