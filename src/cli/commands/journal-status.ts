import type { JournalStatus } from '../../client/journal-status.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { JournalState } from '../../domain/journal-state.ts';
import { defineCommand } from '../command.ts';
import type { Colors } from '../output.ts';
import { formatBytes } from '../units.ts';
import { damaged } from './damage.ts';
import { describeGap } from './describe-window.ts';
import { withManager } from './run-operation.ts';

const COLORS: Record<JournalState, 'green' | 'yellow' | 'red' | 'dim'> = {
  following: 'green',
  waiting: 'yellow',
  alarm: 'red',
  stopped: 'red',
  disabled: 'dim',
};

/** `journal status`: whether every second is kept, and how far. */
export const journalStatus = defineCommand({
  name: 'journal status',
  summary: 'how the journals of PostgreSQL and Redis are: positions, lag, gaps',
  description:
    'Looks at the runs, at the repository and at the servers. A journal that is in alarm or stopped is a failure; one that is switched off, or of a Redis with redis.method `dump`, is not.',
  arguments: {},
  options: {},
  examples: ['journal status', 'journal status --json | jq ".journals[] | {kind, state, lagSeconds}"'],
  answers: [
    'journals[] {kind, state: following|waiting|alarm|stopped|disabled, reason, history, epoch, position, durable {at, time}, lagBytes, lagSeconds, notKept, refused, slot, retainedBytes, safeWalBytes, gaps[], problems[], workflowId, lastFailure}',
  ],
  exits: [3, 4, 7],
  run: (context) =>
    withManager(context, async (manager) => {
      const journals = await manager.journalStatus();
      const failure = verdict(journals);
      return {
        json: { journals },
        text: () =>
          journals.length === 0
            ? 'no server is configured'
            : journals.map((journal) => describeJournal(journal, context.output.colors).join('\n')).join('\n'),
        ...(failure === undefined ? {} : { failure }),
      };
    }),
});

/** Where the server gives no stream: an alarm that only a decision ends. */
const WITHOUT_STREAM =
  'this Redis lets nobody replicate: set redis.method to `dump`, and it is copied by each backup, without a journal; or grant +psync +replconf';

function verdict(journals: readonly JournalStatus[]): LifeboatError | undefined {
  const problems = journals.flatMap((journal) => journal.problems);
  if (problems.length > 0) return damaged(problems);
  const failed = journals.filter(({ state }) => state === 'alarm' || state === 'stopped');
  if (failed.length === 0) return undefined;
  const names = failed.map(({ kind, state, reason }) => `${kind} is in ${state}${reason ? `: ${reason}` : ''}`);
  return new LifeboatError('JOURNAL_ALARM', names.join('; '), {
    ...(failed.some(({ refused }) => refused != null) ? { hint: WITHOUT_STREAM } : {}),
    details: { journals: failed.map(({ kind }) => kind) },
  });
}

/** A paragraph: state, positions, slot, gaps. */
export function describeJournal(journal: JournalStatus, colors: Colors): string[] {
  const { kind, state, reason, durable, position, slot, gaps, history, epoch, serverProblem } = journal;
  const head = `${kind.padEnd(8)}  ${colors[COLORS[state]](state)}${reason === null ? '' : `: ${reason}`}`;
  const lag = [bytesBehind(journal), secondsBehind(journal)].filter((part) => part !== null).join(', ');
  return [
    head,
    ...(durable === null ? [] : [`  durable to ${durable.at} of ${durable.time}${lag === '' ? '' : `; ${lag}`}`]),
    ...(position === null ? [] : [`  server at ${position.at}`]),
    ...(serverProblem === null ? [] : [`  server not asked: ${serverProblem.message}`]),
    ...(history === null ? [] : [`  history ${history}, epoch ${epoch}`]),
    ...(slot?.exists ? [`  slot ${slot.name}: keeps ${formatBytes(slot.retainedBytes)} of WAL${leftOf(journal)}`] : []),
    ...gaps.slice(-SHOWN_GAPS).map(describeGap),
  ];
}

const SHOWN_GAPS = 5;

function bytesBehind({ lagBytes }: JournalStatus): string | null {
  return lagBytes === null ? null : `${formatBytes(lagBytes)} behind`;
}

function secondsBehind({ lagSeconds }: JournalStatus): string | null {
  return lagSeconds === null ? null : `${lagSeconds.toFixed(1)} s old`;
}

function leftOf({ safeWalBytes }: JournalStatus): string {
  return safeWalBytes === null ? ', without a limit' : `, ${formatBytes(safeWalBytes)} until it is lost`;
}
