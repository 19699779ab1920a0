import type { AlertsView } from '../../contract/alerts.ts';
import type { BackupRecord } from '../../domain/backup.ts';
import { type RecoveryPointAges, recoveryPointAges } from '../../domain/recovery-point-age.ts';
import type { WindowView } from '../../domain/window-view.ts';
import { defineCommand } from '../command.ts';
import type { ServiceStatus } from '../../embedded/services.ts';
import type { Output } from '../output.ts';
import { describeAlertState } from './alerts/describe-alerts.ts';
import { describeDrillState } from './describe-drill-state.ts';
import { describePlanStates } from './describe-plan-states.ts';
import { describeProtection, lastOf } from './describe-protection.ts';
import { askTemporal, type Known } from './read-status.ts';
import { describeSchedules, scheduleJson } from './schedule/describe-schedule.ts';

/** `status`: what runs, and what could be restored now. It starts nothing. */
export const status = defineCommand({
  name: 'status',
  summary: 'what runs, and what could be restored now',
  arguments: {},
  options: {},
  examples: ['status', 'status --json'],
  answers: [
    'status {services[], ui, running, lastFull, lastIncremental, rpoMs {postgres, redis}, window, journals[], drill {last {drillId, finishedAt, verdict, reasons[], rtoMs, rpoMs}, dueAt, overdue}, schedules[], plans[] {id, state, evaluation}, backups, alerts[], alertsAsOf}',
  ],
  exits: [7],
  async run(context) {
    const { config } = await context.config();
    const [{ stackStatus }, { stateDirOf }] = await Promise.all([
      import('../../embedded/stack.ts'),
      import('../../assembly/state-dir.ts'),
    ]);
    const stack = await stackStatus({ stateDir: stateDirOf(config) });
    const { running, known } = await askTemporal(context, stack.temporalAddress);
    const { services, uiUrl } = stack;
    const { colors } = context.output;
    const answer = { services, ui: uiUrl ?? null, running, ...protectionOf(known) };
    return {
      json: { status: answer },
      text: async () =>
        [
          await describeServices(context.output, services, uiUrl),
          running === null ? 'running: nothing' : `running: ${running.type} since ${running.since}`,
          ...describeProtection(answer, colors),
          ...(known === undefined
            ? []
            : [
                ...describeDrillState(known.drill, colors),
                ...describePlanStates(known.plans, colors),
                ...describeSchedules(known.schedules, colors),
                ...(known.alerts === null ? [] : describeAlertState(known.alerts, colors)),
              ]),
        ].join('\n'),
    };
  },
});

/** Null: not known, because nobody could be asked. */
const NOTHING = {
  backups: null,
  window: null,
  journals: null,
  drill: null,
  schedules: null,
  plans: null,
  alerts: null,
} as const;

function protectionOf(known: Known | undefined): {
  readonly backups: number | null;
  readonly lastFull: BackupRecord | null;
  readonly lastIncremental: BackupRecord | null;
  readonly rpoMs: RecoveryPointAges | null;
  readonly window: WindowView | null;
  readonly journals: Known['journals'] | null;
  readonly drill: Known['drill'] | null;
  readonly schedules: readonly unknown[] | null;
  readonly plans: Known['plans'] | null;
  readonly alerts: AlertsView['alerts'] | null;
  readonly alertsAsOf: AlertsView['lookedAt'] | null;
} {
  const { backups, window, journals, drill, schedules, plans, alerts } = known ?? NOTHING;
  return {
    lastFull: backups && lastOf(backups, 'full'),
    lastIncremental: backups && lastOf(backups, 'incremental'),
    rpoMs: backups && recoveryPointAges(backups, journals ?? [], Date.now()),
    window,
    journals,
    drill,
    schedules: schedules?.map(scheduleJson) ?? null,
    plans,
    backups: backups?.length ?? null,
    alerts: alerts?.alerts ?? null,
    alertsAsOf: alerts?.lookedAt ?? null,
  };
}

async function describeServices(
  output: Output,
  services: readonly ServiceStatus[],
  uiUrl: string | undefined,
): Promise<string> {
  const shown =
    services.length === 0
      ? 'local stack: not running (`lifeboat up` starts it)'
      : await output.table(
          ['service', 'state', 'pid', 'since'],
          services.map((one) => [one.name, one.state, String(one.pid), one.since]),
        );
  return uiUrl === undefined ? shown : `${shown}\nTemporal Web UI: ${uiUrl}`;
}
