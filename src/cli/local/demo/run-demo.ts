import { z } from 'zod';
import type { LocalDatabases } from '../../../embedded/databases.ts';
import { seedDatabases } from '../../../embedded/demo-data.ts';
import { defaultStateDir } from '../../../embedded/places.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { CommandContext, CommandResult } from '../../command.ts';
import { formatBytes } from '../../units.ts';
import { countDifferences } from './compare.ts';
import { handOver, type KeptStage } from './hand-over.ts';
import { makeRunFolder, removeRunFolder } from './run-folder.ts';
import { openStage } from './stage.ts';
import { describe, isCut, play, type Proof } from './story.ts';

/** What is shown of the answer of `backup full`. */
const backupAnswer = z.object({ backup: z.object({ bytes: z.number(), storedBytes: z.number() }) });

/** Plays the demo and leaves nothing: no process, no file. With `keep`, what it made goes on in the background. */
export async function runDemo(context: CommandContext, { keep }: { readonly keep: boolean }): Promise<CommandResult> {
  const { output, signal } = context;
  const startedAt = Date.now();
  const stateDir = defaultStateDir();
  const folder = await makeRunFolder(stateDir);
  context.onInterrupt(() => 'everything the demo started is being ended and removed');
  let kept: KeptStage | undefined;
  try {
    output.note('starting PostgreSQL, Redis, Temporal and a worker, only for this demo');
    const onPhase = (line: string): void => output.note(line);
    const fill = (databases: LocalDatabases): Promise<void> => seedDatabases({ databases, signal, onPhase });
    const stage = await openStage({ stateDir, folder, signal, onPhase, fill });
    try {
      output.note(`up in ${seconds(Date.now() - startedAt)}; Temporal Web UI: ${stage.uiUrl}`);
      const proof = await play(context, stage);
      const durationMs = Date.now() - startedAt;
      if (keep) kept = await handOver(context, stage);
      return answer(proof, { durationMs, ui: kept?.uiUrl ?? stage.uiUrl, kept });
    } finally {
      await stage.stop();
    }
  } finally {
    if (kept === undefined) await removeRunFolder(folder);
  }
}

/** Differences that an error names. */
const SHOWN = 20;

interface Circumstances {
  readonly durationMs: number;
  readonly ui: string;
  readonly kept: KeptStage | undefined;
}

function answer(proof: Proof, { durationMs, ui, kept }: Circumstances): CommandResult {
  const { comparison, ...facts } = proof;
  const { differences, ...compared } = comparison;
  const identical = differences.length === 0 && isCut(proof.marks);
  return {
    json: { identical, compared, differences, ...facts, durationMs, ui, kept: kept ?? null },
    text: () => [...summary(proof, durationMs), ...epilogue(kept)].join('\n'),
    ...(identical
      ? {}
      : {
          failure: new LifeboatError(
            'DEMO_DIFFERS',
            `compare after the restore: ${differences.length === 0 ? 'the marks' : countDifferences(differences)} differ`,
            {
              details: {
                markedRows: proof.marks.rows,
                markedKeys: proof.marks.keys,
                differences: differences.slice(0, SHOWN).map(({ kind, name, what }) => `${kind} ${name}: ${what}`),
              },
            },
          ),
        }),
  };
}

function summary(proof: Proof, durationMs: number): string[] {
  const { backup, incremental, restore, comparison, damage, durableMs, marks } = proof;
  const { bytes, storedBytes } = backupAnswer.parse(backup).backup;
  const { differences } = comparison;
  return [
    '\nWhat was proven',
    `  backup    ${formatBytes(bytes)} in ${seconds(Number(backup['durationMs']))}, stored as ${formatBytes(storedBytes)}, encrypted and signed`,
    `  then      an incremental backup in ${seconds(Number(incremental['durationMs']))}; what was written after it was durable within ${seconds(durableMs)}`,
    `  disaster  ${damage} lost or changed`,
    `  restore   back to the moment before it in ${seconds(Number(restore['rtoMs']))}, proven before it went live`,
    `  compared  ${describe(comparison)}: ${differences.length === 0 ? 'identical' : `NOT IDENTICAL, ${countDifferences(differences)} differ`}`,
    `  cut       what was written just before that moment is there, what was written just after it is not: ${isCut(marks) ? 'so it is' : 'IT IS NOT SO'}`,
    `  in all    ${seconds(durationMs)}`,
  ];
}

function epilogue(kept: KeptStage | undefined): string[] {
  if (kept === undefined)
    return ['Everything it started is ended and removed. To look around in it: npm run demo -- --keep'];
  return [
    'It is still up.',
    `  look at it   ${kept.uiUrl}  (Temporal: every step of the backup and the restore)`,
    `               source ${kept.environmentFile}, then npm run backup:cli backup list`,
    '  end it       npm run backup:cli down, in the same shell',
  ];
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
