import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import { BACKUP_RECORD, DRILL_PLAN, failWith, streamUntilCancelled } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const input = {
  group: 'scenario',
  requestedBy: 'tester@here',
  choice: { how: 'newest' },
  backupFirst: false,
};
const workflow = WORKFLOWS.drill;

/** Paths of a drill. What it finds is its result; so most failures end in a report. */
export const DRILL_SCENARIOS: readonly Scenario[] = [
  {
    name: 'drill/pass',
    workflow,
    input,
    outcome: 'completed',
    calls: ['planDrill', 'rehearseDrill', 'publishDrill'],
  },
  {
    name: 'drill/fail',
    workflow,
    input: { ...input, choice: { how: 'random' } },
    planted: () => ({
      rehearseDrill: async () => ({
        phases: [],
        checks: [{ name: 'users', status: 'fail', expected: '5', actual: '4', message: '' }],
        rtoMs: 5,
        untried: [],
        readWhole: [],
        orphansRemoved: 0,
      }),
    }),
    outcome: 'completed',
    calls: ['planDrill', 'rehearseDrill', 'publishDrill'],
  },
  {
    name: 'drill/backup-first',
    workflow,
    input: { ...input, backupFirst: true },
    planted: () => ({
      planDrill: async ({ request }) => {
        const { choice } = request;
        if (choice.how !== 'given' || choice.backup !== BACKUP_RECORD.id) failWith('BACKUP_NOT_FOUND');
        return DRILL_PLAN;
      },
    }),
    outcome: 'completed',
    calls: [
      'surveySources',
      'beginBackup',
      ['copyPostgres', 'copyRedis'],
      'publishBackup',
      'planDrill',
      'rehearseDrill',
      'publishDrill',
    ],
  },
  {
    name: 'drill/backup-first-fails',
    workflow,
    input: { ...input, backupFirst: true },
    planted: () => ({ surveySources: async () => failWith('SOURCE_NOT_CONFIGURED') }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: ['surveySources'],
  },
  {
    name: 'drill/nothing-to-restore',
    workflow,
    input,
    planted: () => ({ planDrill: async () => failWith('DRILL_NOTHING_RESTORABLE') }),
    outcome: 'DRILL_NOTHING_RESTORABLE',
    calls: ['planDrill'],
  },
  {
    name: 'drill/damaged-before-it-begins',
    workflow,
    input,
    planted: () => ({ planDrill: async () => failWith('MANIFEST_SIGNATURE_INVALID') }),
    outcome: 'completed',
    calls: ['planDrill', 'publishDrill(ended with MANIFEST_SIGNATURE_INVALID)'],
  },
  {
    name: 'drill/rehearsal-refused',
    workflow,
    input,
    planted: () => ({ rehearseDrill: async () => failWith('DRILL_NO_SPACE') }),
    outcome: 'completed',
    calls: ['planDrill', 'rehearseDrill', 'clearDrills', 'publishDrill(ended with DRILL_NO_SPACE)'],
  },
  {
    name: 'drill/retried-after-transient-error',
    workflow,
    input,
    planted: () => {
      let attempts = 0;
      return {
        rehearseDrill: async () => {
          attempts += 1;
          if (attempts === 1) failWith('STORE_UNREACHABLE');
          return { phases: [], checks: [], rtoMs: 5, untried: [], readWhole: [], orphansRemoved: 1 };
        },
      };
    },
    outcome: 'completed',
    calls: ['planDrill', 'rehearseDrill', 'rehearseDrill', 'publishDrill'],
  },
  {
    name: 'drill/report-cannot-be-stored',
    workflow,
    input,
    planted: () => ({ publishDrill: async () => failWith('STORE_KEY_EXISTS') }),
    outcome: 'STORE_KEY_EXISTS',
    calls: ['planDrill', 'rehearseDrill', 'publishDrill'],
  },
  {
    name: 'drill/cancelled-while-rehearsing',
    workflow,
    input,
    planted: () => ({ rehearseDrill: streamUntilCancelled }),
    drive: async (handle, calls) => {
      while (!calls.includes('rehearseDrill')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['planDrill', 'rehearseDrill', 'clearDrills'],
  },
];
