import { messageOf } from '../../domain/errors.ts';

/** What must be undone when a rehearsal ends, however it ends. */
export interface Closers {
  add(name: string, close: () => Promise<void>): void;
  /** Runs all, the newest first, whatever fails; gives what failed. Repeated it does nothing. */
  run(): Promise<readonly string[]>;
}

export function createClosers(): Closers {
  const steps: { readonly name: string; readonly close: () => Promise<void> }[] = [];
  return {
    add: (name, close) => void steps.push({ name, close }),
    async run() {
      const failures: string[] = [];
      for (const { name, close } of steps.splice(0).toReversed()) {
        try {
          await close();
        } catch (error) {
          failures.push(`${name}: ${messageOf(error)}`);
        }
      }
      return failures;
    },
  };
}
