import type { TargetCleanupOutcome } from '../../client/start-cleanup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { CommandResult } from '../command.ts';
import { cleanupJson, describeCleanup } from './describe-cleanup.ts';

/** One target in the answer of `backup cleanup`. */
export function targetCleanupJson(outcome: TargetCleanupOutcome): Record<string, unknown> {
  const { target: name, error } = outcome;
  if (error !== null) {
    const { code, message, hint } = error;
    return { name, state: 'failed', error: { code, message, hint } };
  }
  const { plan, dryRun, locked = [] } = outcome;
  if (plan === null) return { name, state: 'unused', error: null };
  // A target has no databases.
  const { databases: _databases, tables: _tables, ...rest } = cleanupJson({ dryRun, plan, locked });
  return { name, state: 'done', ...rest, error: null };
}

/** The same for people, below what happened in the repository. */
export function describeTargetCleanup(outcome: TargetCleanupOutcome): string {
  const { target, error } = outcome;
  if (error !== null) return `at ${target}\n  failed: ${error.message}\n  hint: ${error.hint}`;
  const { plan, dryRun, locked = [] } = outcome;
  if (plan === null) return `at ${target}\n  nothing was copied yet`;
  const lines = describeCleanup({ dryRun, plan, locked }).split('\n');
  return [`at ${target}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** A target that was not cleaned up is a part of the work that is not done. */
export function failureOfTargets(outcomes: readonly TargetCleanupOutcome[]): Pick<CommandResult, 'failure'> {
  const failed = outcomes.filter(({ error }) => error !== null);
  if (failed.length === 0) return {};
  const facts = failed.map(({ target, error }) => `${target}: ${error?.message ?? ''}`).join('; ');
  const details = { targets: failed.map(({ target }) => target) };
  const hint = 'the repository itself was cleaned up; run `lifeboat backup cleanup` again once the target is back';
  return { failure: new LifeboatError('TARGET_FAILED', facts, { hint, details }) };
}
