import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import { failWith, streamUntilCancelled } from './fakes.ts';
import type { Activities } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const input = { group: 'scenario', requestedBy: 'tester@here' };
const workflow = WORKFLOWS.rewrap;

/** Fails once, as a worker that loses its store does; the retry goes on with what is left. */
function failingOnce(code: ErrorCode): Activities['rewrapKeys'] {
  let failed = false;
  return async ({ keyId }) => {
    if (!failed) {
      failed = true;
      failWith(code);
    }
    return { keyId, escrowIds: [], total: 3, rewrapped: 1, problems: [], problemsTotal: 0 };
  };
}

/** Paths of wrapping data keys again. */
export const KEY_SCENARIOS: readonly Scenario[] = [
  { name: 'rewrap/success', workflow, input, outcome: 'completed', calls: ['planRewrap', 'rewrapKeys'] },
  {
    name: 'rewrap/without-a-keyring',
    workflow,
    input,
    planted: () => ({ planRewrap: async () => failWith('KEY_REQUIRED') }),
    outcome: 'KEY_REQUIRED',
    calls: ['planRewrap'],
  },
  {
    name: 'rewrap/continued-after-a-transient-error',
    workflow,
    input,
    planted: () => ({ rewrapKeys: failingOnce('STORE_BUSY') }),
    outcome: 'completed',
    calls: ['planRewrap', 'rewrapKeys', 'rewrapKeys'],
  },
  {
    name: 'rewrap/cancelled',
    workflow,
    input,
    planted: () => ({ rewrapKeys: streamUntilCancelled }),
    drive: async (handle, calls) => {
      while (!calls.includes('rewrapKeys')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'later', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['planRewrap', 'rewrapKeys'],
  },
];

const oldest = WORKFLOWS.verifyOldest;
const PLANNED = 'planOldestVerification';

/** Paths of verification within a budget. */
export const VERIFY_OLDEST_SCENARIOS: readonly Scenario[] = [
  {
    name: 'verify-oldest/all',
    workflow: oldest,
    input: { ...input, budget: { bytes: null, ms: null } },
    outcome: 'completed',
    calls: [PLANNED, 'verifyBackup(a)', 'verifyBackup(b)', 'verifyBackup(c)'],
  },
  {
    name: 'verify-oldest/bytes-used-up',
    workflow: oldest,
    input: { ...input, budget: { bytes: 130, ms: null } },
    outcome: 'completed',
    calls: [PLANNED, 'verifyBackup(a)', 'verifyBackup(b)'],
  },
  {
    name: 'verify-oldest/one-is-bigger-than-the-budget',
    workflow: oldest,
    input: { ...input, budget: { bytes: 1, ms: null } },
    outcome: 'completed',
    calls: [PLANNED, 'verifyBackup(a)'],
  },
  {
    name: 'verify-oldest/time-used-up',
    workflow: oldest,
    input: { ...input, budget: { bytes: null, ms: 0 } },
    outcome: 'completed',
    calls: [PLANNED, 'verifyBackup(a)'],
  },
  {
    name: 'verify-oldest/cancelled',
    workflow: oldest,
    input: { ...input, budget: { bytes: null, ms: null } },
    planted: () => ({ verifyBackup: streamUntilCancelled }),
    drive: async (handle, calls) => {
      while (!calls.includes('verifyBackup(a)')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'later', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: [PLANNED, 'verifyBackup(a)'],
  },
];
