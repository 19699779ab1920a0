import { defineSignal } from '@temporalio/workflow';
import type { CancelRequest } from './messages.ts';
import { SIGNALS } from './names.ts';

/** Cancels with a reason that stands in the history; a plain cancellation from the Web UI works too. */
export const cancelOperation = defineSignal<[CancelRequest]>(SIGNALS.cancel);
