import { allHandlersFinished, condition, continueAsNew, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import { alertsView, lookNow, somethingFailed } from '../contract/alert-handlers.ts';
import type { AlertsInput, AlertsLook, AlertsMemory, AlertsView } from '../contract/alerts.ts';
import { enqueue } from '../domain/alerts/outbox.ts';
import { viewAlerts } from '../domain/alerts/view-alerts.ts';
import { control } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { failureOf } from './support/compensation.ts';
import { trackProgress, type WorkflowProgress } from './support/progress.ts';
import { openOutboxes, type OpenOutboxes } from './support/tell-channels.ts';

/** Looks of one run: keeps a history below a few hundred events. */
const LOOKS = 10;
/** From the word that something fails until it is listed as failed; what fails at the same time is seen by the same look. */
const SETTLING = '2 seconds';

/**
 * Looks for alerts for ever, and tells people. What is wrong, and who is told of it, is judged by the worker that looks, so that a new version may judge otherwise
 * while this run goes on; the run itself keeps what is known, and what each channel has yet to be told.
 */
export async function alertsWorkflow(input: AlertsInput): Promise<void> {
  const progress = trackProgress(`alerts of group ${input.group}`);
  const watch = openWatch(input);
  await cancellable(progress, async () => {
    watch.outboxes.begin();
    for (let looks = 0; looks < LOOKS && !workflowInfo().continueAsNewSuggested; looks += 1) {
      await watch.untilDue();
      await watch.look(progress);
    }
    await watch.outboxes.handOver();
    // Whoever has asked in the meantime is answered; what is found then, the next run tells.
    while (!allHandlersFinished()) await watch.look(progress);
  });
  await continueAsNew<typeof alertsWorkflow>(watch.next());
}

interface Watch {
  readonly outboxes: OpenOutboxes;
  untilDue(): Promise<void>;
  look(progress: WorkflowProgress): Promise<void>;
  next(): AlertsInput;
}

/** Takes questions and signals from now on. */
function openWatch(input: AlertsInput): Watch {
  const outboxes = openOutboxes(input.state?.outboxes ?? {});
  let memory: AlertsMemory | null = input.state?.memory ?? null;
  let lookedAt = input.state?.lookedAt ?? null;
  let { everyMs } = input;
  let unseen: AlertsLook['unseen'] = [];
  let problem: string | null = null;
  let shown = '';
  let failures = false;
  let asked = 0;
  let answered = 0;
  const view = (): AlertsView => viewAlerts({ memory, lookedAt, unseen, problem, outboxes: outboxes.boxes() });
  // Each change of the phase is an event of the history: once, and not once a minute.
  const show = (progress: WorkflowProgress, phase: string, what: string): void => {
    if (shown !== `${phase} ${what}`) progress.enter(phase, what);
    shown = `${phase} ${what}`;
  };
  setHandler(alertsView, view);
  setHandler(somethingFailed, () => void (failures = true));
  setHandler(lookNow, async () => {
    asked += 1;
    const mine = asked;
    await condition(() => answered >= mine);
    return view();
  });
  return {
    outboxes,
    async untilDue() {
      await condition(() => failures || asked > answered, everyMs);
      if (asked === answered && failures) await sleep(SETTLING);
      failures = false;
    },
    async look(progress) {
      // What is asked while it looks is answered by the next look.
      const answers = asked;
      try {
        const look = await control('decide', 'look for alerts').lookForAlerts({ memory, all: answers > answered });
        ({ memory, unseen, at: lookedAt, everyMs } = look);
        problem = null;
        outboxes.change((boxes) => enqueue(boxes, look.deliveries));
        show(progress, 'watching', `${memory.active.length} alerts`);
      } catch (error) {
        problem = failureOf(error).message;
        show(progress, 'alarm', `the last look came to nothing: ${problem}`);
      }
      answered = answers;
    },
    next: () => ({ ...input, everyMs, state: { memory, lookedAt, outboxes: outboxes.boxes() } }),
  };
}
