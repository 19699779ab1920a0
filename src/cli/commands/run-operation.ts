import type { BackupManager } from '../../client/backup-manager.ts';
import type { StartedOperation } from '../../client/operation.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import { awaitOperation, whereabouts } from './await-operation.ts';
import { withClient } from './with-client.ts';

/** What a command that starts an operation says about it. */
export interface OperationCommand<Result> {
  readonly detach: boolean;
  start(manager: BackupManager): Promise<StartedOperation<Result>>;
  /** The answer of a finished operation. */
  answer(result: Result, durationMs: number, manager: BackupManager): CommandResult | Promise<CommandResult>;
}

/** Connects, starts, and waits or leaves. */
export async function runOperation<Result>(
  context: CommandContext,
  command: OperationCommand<Result>,
): Promise<CommandResult> {
  return withManager(context, async (manager) => {
    const startedAt = Date.now();
    const started = await command.start(manager);
    return answerOperation(context, started, {
      detach: command.detach,
      startedAt,
      answer: (result, durationMs) => command.answer(result, durationMs, manager),
    });
  });
}

/** Waits for a started operation and answers with what it came to, or leaves it. */
export async function answerOperation<Result>(
  context: CommandContext,
  started: StartedOperation<Result>,
  command: {
    readonly detach: boolean;
    readonly startedAt: number;
    answer(result: Result, durationMs: number): CommandResult | Promise<CommandResult>;
  },
): Promise<CommandResult> {
  const place = whereabouts(started);
  if (command.detach) {
    return {
      json: { ...place, detached: true },
      text: () => `started ${place.workflowId}\n  follow: lifeboat attach ${place.workflowId}`,
    };
  }
  const result = await awaitOperation(context, started);
  const answered = await command.answer(result, Date.now() - command.startedAt);
  return { ...answered, json: { ...answered.json, ...place, durationMs: Date.now() - command.startedAt } };
}

/** Gives `work` a manager on an open connection. */
export async function withManager<T>(
  context: CommandContext,
  work: (manager: BackupManager) => Promise<T>,
): Promise<T> {
  return withClient(context, async (opened) => {
    const { createBackupManager } = await import('../../client/backup-manager.ts');
    return work(createBackupManager(opened));
  });
}
