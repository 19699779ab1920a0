import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { AlertsView } from '../../../src/contract/alerts.ts';
import { QUERIES, SIGNALS, UPDATES, WORKFLOWS } from '../../../src/contract/names.ts';
import type { ActiveAlert, Notice } from '../../../src/domain/alerts/alert.ts';
import { makeAlert } from '../../../src/domain/alerts/make-alert.ts';
import type { Activities } from './fakes.ts';
import { failWith } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const AT = '2026-01-02T03:04:05.678Z';
const workflow = WORKFLOWS.alerts;
/** The first look is at once, the others when the activity says so. */
const input = { group: 'scenario', requestedBy: 'tester@here', state: null, everyMs: 1 };
/** Longer than any test. */
const NEVER_MS = 3_600_000;
const LOOK = 'lookForAlerts';

const ALERT = makeAlert('operation-failed', 'full', { summary: 'full backup failed: planted', since: AT });
const ACTIVE: ActiveAlert = { ...ALERT, foundAt: AT, firedAt: AT, lastToldAt: AT, reminders: 0 };
const KNOWN = {
  active: [ACTIVE],
  slowLookAt: AT,
  hadRepository: true,
  runs: { since: AT, seen: [], outcomes: [], damage: [] },
} as const;

const to = (channel: string, state: Notice['state']): { readonly channel: string; readonly notice: Notice } => ({
  channel,
  notice: {
    id: `${channel}/${state}`,
    state,
    at: new Date().toISOString(),
    group: 'scenario',
    occurrence: 'one',
    alert: ALERT,
  },
});

/** What each look finds, in order; after the last no other comes by itself. */
function looks(...found: readonly (readonly ReturnType<typeof to>[])[]): Activities['lookForAlerts'] {
  let count = 0;
  return async () => {
    const deliveries = found[count] ?? [];
    count += 1;
    return { memory: KNOWN, deliveries, unseen: [], at: AT, everyMs: count < found.length ? 1 : NEVER_MS };
  };
}

const pause = async (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20));

/** Ends the run once all these were called. */
function endAfter(expected: readonly string[]): NonNullable<Scenario['drive']> {
  return async (handle, calls) => {
    while (!expected.every((call) => calls.includes(call))) await pause();
    await until(handle, ({ channels }) => channels.every(({ pending }) => pending === 0));
    await handle.signal(SIGNALS.cancel, { reason: 'the test is over', by: 'tester@here' });
  };
}

async function until(handle: WorkflowHandle, isSo: (view: AlertsView) => boolean): Promise<void> {
  while (!isSo(await handle.query<AlertsView>(QUERIES.alerts))) await pause();
}

function expectThat(what: string, isSo: boolean): void {
  if (!isSo) throw new Error(`expected: ${what}`);
}

const told = (channel: string, state: Notice['state']): string => `tellChannel(${channel}: ${state} ${ALERT.key})`;

/** Paths of the run that looks for alerts, and of a test of a channel. */
export const ALERT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'alerts/tells-and-resolves',
    workflow,
    input,
    planted: () => ({ lookForAlerts: looks([to('ops', 'fire')], [], [to('ops', 'resolve')]) }),
    drive: endAfter([told('ops', 'fire'), told('ops', 'resolve')]),
    outcome: 'cancelled',
    calls: [[LOOK, told('ops', 'fire'), LOOK, LOOK, told('ops', 'resolve')]],
  },
  {
    name: 'alerts/dead-channel-holds-up-no-other',
    workflow,
    input,
    planted: () => {
      let tries = 0;
      let isOtherDone = false;
      return {
        lookForAlerts: looks([to('dead', 'fire'), to('ops', 'fire')], [to('ops', 'resolve')]),
        // It takes nothing, and says so only after all the others have heard everything.
        tellChannel: async ({ channel, notice }) => {
          if (channel === 'ops') isOtherDone ||= notice.state === 'resolve';
          else if ((tries += 1) === 1) {
            while (!isOtherDone) {
              Context.current().heartbeat();
              await pause();
            }
            failWith('NOTIFICATION_FAILED');
          }
        },
      };
    },
    drive: endAfter([told('ops', 'resolve')]),
    outcome: 'cancelled',
    calls: [[LOOK, LOOK, told('dead', 'fire'), told('dead', 'fire'), told('ops', 'fire'), told('ops', 'resolve')]],
  },
  {
    name: 'alerts/channel-is-gone',
    workflow,
    input,
    planted: () => ({
      lookForAlerts: looks([to('gone', 'fire')]),
      tellChannel: async () => failWith('NOTIFICATION_UNAVAILABLE'),
    }),
    drive: async (handle, calls) => {
      while (!calls.includes(told('gone', 'fire'))) await pause();
      await until(handle, ({ channels }) => channels[0]?.pending === 0 && channels[0].dropped === 1);
      await endAfter([])(handle, calls);
    },
    outcome: 'cancelled',
    calls: [LOOK, told('gone', 'fire')],
  },
  {
    name: 'alerts/look-comes-to-nothing',
    workflow,
    input,
    planted: () => {
      let count = 0;
      return {
        lookForAlerts: async () => {
          count += 1;
          if (count === 1) failWith('CONFIG_INVALID');
          return { memory: KNOWN, deliveries: [], unseen: [], at: AT, everyMs: NEVER_MS };
        },
      };
    },
    drive: async (handle, calls) => {
      while (calls.length < 2) await pause();
      await until(handle, ({ problem, lookedAt }) => problem === null && lookedAt === AT);
      await endAfter([])(handle, calls);
    },
    outcome: 'cancelled',
    calls: [LOOK, LOOK],
  },
  {
    name: 'alerts/asked-and-told-of-a-failure',
    workflow,
    input: { ...input, everyMs: NEVER_MS },
    planted: () => ({ lookForAlerts: looks([to('ops', 'fire')], []) }),
    drive: async (handle, calls) => {
      const view = await handle.executeUpdate<AlertsView, []>(UPDATES.lookForAlerts);
      expectThat('the answer is what was found', view.alerts[0]?.key === ALERT.key && view.lookedAt === AT);
      await handle.signal(SIGNALS.somethingFailed);
      while (calls.filter((call) => call === LOOK).length < 2) await pause();
      await endAfter([told('ops', 'fire')])(handle, calls);
    },
    outcome: 'cancelled',
    calls: [[LOOK, told('ops', 'fire'), LOOK]],
  },
  {
    name: 'alerts/hands-over',
    workflow,
    input,
    planted: () => {
      let tries = 0;
      return {
        // One more than a run looks: what the first look had told is still to be told by the run that follows.
        lookForAlerts: looks([to('dead', 'fire')], ...Array.from({ length: 10 }, () => [])),
        tellChannel: async () => {
          if ((tries += 1) === 1) failWith('NOTIFICATION_FAILED');
        },
      };
    },
    drive: async (handle, calls) => {
      while (calls.filter((call) => call === LOOK).length < 11) await pause();
      await endAfter([])(handle, calls);
      expectThat('it was told again', calls.filter((call) => call === told('dead', 'fire')).length === 2);
    },
    outcome: 'cancelled',
    calls: [[...Array.from({ length: 11 }, () => LOOK), told('dead', 'fire'), told('dead', 'fire')]],
  },
  {
    name: 'test-channel/told',
    workflow: WORKFLOWS.testChannel,
    input: { group: 'scenario', requestedBy: 'tester@here', channel: 'ops' },
    outcome: 'completed',
    calls: ['tellChannel(ops: test operation-succeeded/test-of-ops)'],
  },
  {
    name: 'test-channel/refused',
    workflow: WORKFLOWS.testChannel,
    input: { group: 'scenario', requestedBy: 'tester@here', channel: 'ops' },
    planted: () => ({ tellChannel: async () => failWith('NOTIFICATION_FAILED') }),
    outcome: 'NOTIFICATION_FAILED',
    calls: ['tellChannel(ops: test operation-succeeded/test-of-ops)'],
  },
  {
    name: 'backup/tells-of-its-failure',
    workflow: WORKFLOWS.backup,
    input: {
      group: 'scenario',
      requestedBy: 'tester@here',
      kind: 'full',
      components: 'configured',
      label: {},
      hold: null,
    },
    planted: () => ({ surveySources: async () => failWith('SOURCE_NOT_CONFIGURED') }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: ['surveySources'],
  },
];
