import { LifeboatError } from '../domain/errors.ts';

/** Ctrl-C and SIGTERM as an AbortSignal. */
export interface Interrupts {
  readonly signal: AbortSignal;
  /** Lines to print when it happens. */
  explain(lines: () => string): void;
  stop(): void;
}

const INTERRUPTED_EXIT = 130;
const nothing = (): string => '';

/** The first signal aborts, so that a command can leave in order; the second ends the process at once. */
export function watchInterrupts(write: (text: string) => void): Interrupts {
  const controller = new AbortController();
  let lines = nothing;
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED_EXIT);
    const text = lines();
    if (text !== '') write(text);
    const hint = text === '' ? {} : { hint: text };
    controller.abort(new LifeboatError('INTERRUPTED', 'wait for the operation: interrupted', hint));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    explain: (next) => {
      lines = next;
    },
    stop: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
