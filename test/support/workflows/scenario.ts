import type { WorkflowHandle } from '@temporalio/client';
import type { WORKFLOWS } from '../../../src/contract/names.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import type { Activities } from './fakes.ts';

/** One path through one workflow: driven by test/workflow, recorded and replayed by test/replay. */
export interface Scenario {
  /** `<workflow>/<case>`; the history is `<workflow>/<version>-<case>.json`. */
  readonly name: string;
  readonly workflow: (typeof WORKFLOWS)[keyof typeof WORKFLOWS];
  readonly input: unknown;
  /** Holds the group before the scenario begins. */
  readonly heldBy?: (typeof WORKFLOWS)[keyof typeof WORKFLOWS];
  readonly planted?: () => Partial<Activities>;
  /** Acts on the running workflow: signals, cancellation. */
  readonly drive?: (handle: WorkflowHandle, calls: readonly string[]) => Promise<void>;
  readonly outcome: 'completed' | 'cancelled' | ErrorCode;
  /** Calls in order; those in an inner list run at once, in any order. */
  readonly calls: readonly (string | readonly string[])[];
}
