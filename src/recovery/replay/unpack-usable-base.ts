import type { Check } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryWindow } from '../../domain/recovery-window.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import type { Replayable } from '../../domain/replayable.ts';
import { basesFor } from '../../domain/resolve-target.ts';
import { readRecoveryCatalog } from '../read-catalog.ts';
import type { ReplaySources } from './replay-sources.ts';
import { unpackChain, type Spoilt, type UnpackedBase } from './unpack-chain.ts';

type PostgresReplay = NonNullable<ReplayPlan['postgres']>;

/** Without a target the base alone is meant: its own end. */
export type BaseReplay = Pick<PostgresReplay, 'baseId' | 'chain'> & {
  readonly target: PostgresReplay['target'] | null;
};

/**
 * Unpacks the base that was planned. Where it is an incremental one and something of its chain is damaged, an older base does, with more
 * WAL to replay, where the journal has that; the checks say so. A full base is not exchanged: it was asked for.
 * @throws LifeboatError what is wrong with the base that was planned, where no other will do
 */
export async function unpackUsableBase(
  sources: ReplaySources,
  { replay, directory }: { readonly replay: BaseReplay; readonly directory: string },
  operation: Operation,
): Promise<UnpackedBase> {
  const spoilt: Spoilt[] = [];
  for (let baseId = replay.baseId; ;) {
    const unpacked = await unpackChain(sources, { baseId, directory }, operation);
    if (!('error' in unpacked)) {
      const { checks } = unpacked;
      return { ...unpacked, checks: [...spoilt.map((one) => passedOver(one, { replay, baseId })), ...checks] };
    }
    spoilt.push(unpacked);
    const other = await otherBase(sources, { replay, spoilt }, operation);
    if (other === undefined) throw spoilt[0]?.error ?? unpacked.error;
    baseId = other.backupId;
  }
}

/** The newest base for the same target that needs nothing of what is spoilt. */
async function otherBase(
  sources: ReplaySources,
  { replay, spoilt }: { readonly replay: BaseReplay; readonly spoilt: readonly Spoilt[] },
  operation: Operation,
): Promise<Replayable | undefined> {
  const { baseId: planned, chain: members, target } = replay;
  if (members === undefined || target === null) return undefined;
  const window = recoveryWindow(await readRecoveryCatalog(await sources.repository(), ['postgres'], operation));
  const bad = new Set(spoilt.map(({ backupId }) => backupId));
  const bases = window.postgres === null ? [] : basesFor(window.postgres, target);
  return bases.find(({ backupId, chain }) => {
    return backupId !== planned && ![...(chain ?? []), backupId].some((id) => bad.has(id));
  });
}

function passedOver(
  { backupId, error }: Spoilt,
  { replay, baseId }: { readonly replay: BaseReplay; readonly baseId: string },
): Check {
  const message = `${backupId} cannot be used, so more WAL was replayed, on an older base: ${error.message}`;
  return {
    name: 'base chain',
    status: 'skip',
    expected: `base of ${replay.baseId}`,
    actual: `base of ${baseId}`,
    message,
  };
}
