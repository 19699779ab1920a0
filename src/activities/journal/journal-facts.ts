import type { JournalFacts } from '../../contract/journal-facts.ts';
import { toLifeboatError } from '../../domain/errors.ts';
import type { JournalEpoch, JournalKind } from '../../domain/journal.ts';
import { whyNotKept } from '../../domain/kept-journals.ts';
import { lsnOf } from '../../domain/lsn.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryWindow } from '../../domain/recovery-window.ts';
import { viewWindow } from '../../domain/window-view.ts';
import { type RecoveryCatalog, readRecoveryCatalog } from '../../recovery/read-catalog.ts';
import type { Dependencies } from '../dependencies.ts';
import { configured, configuredComponents } from '../sources.ts';
import { within } from '../within.ts';
import { newestOf } from './journal-start.ts';

/** A look at the state does not wait longer for a server: that it does not answer is part of the state. */
const ANSWER_LIMIT_MS = 5_000;
/** About 200 bytes each; a damaged journal may have thousands. */
const MAX_PROBLEMS = 200;

type ServerFacts = Pick<JournalFacts, 'position' | 'slot' | 'serverProblem' | 'refused'>;

/** How each journal of the configuration is, by repository and server. `reading`: what the repository says, where that is read already. */
export async function readJournalFacts(
  deps: Dependencies,
  operation: Operation,
  reading?: RecoveryCatalog,
): Promise<JournalFacts[]> {
  const kinds = configuredComponents(deps.settings);
  const [catalog, servers] = await Promise.all([
    reading ?? readRecoveryCatalog(await deps.repository(), kinds, operation),
    Promise.all(kinds.map((kind) => askServer(deps, kind, operation))),
  ]);
  const { gaps } = viewWindow(recoveryWindow(catalog));
  const { enabled, flushMs } = deps.settings.journal;
  return kinds.map((kind, index) => {
    const server = servers[index] as ServerFacts;
    const last = newestOf(catalog[kind]);
    return {
      kind,
      enabled,
      notKept: whyNotKept(kind, deps.settings),
      ...repositoryFacts(last),
      ...server,
      lagBytes: lagBytes(kind, last, server.position),
      gaps: gaps.filter(({ component }) => component === kind),
      problems: catalog.problems.filter(({ key }) => key.startsWith(`journals/${kind}/`)).slice(0, MAX_PROBLEMS),
      flushSeconds: flushMs / 1_000,
    };
  });
}

function repositoryFacts(
  last: JournalEpoch | undefined,
): Pick<JournalFacts, 'history' | 'epoch' | 'startedAt' | 'durable'> {
  if (last === undefined) return { history: null, epoch: null, startedAt: null, durable: null };
  const { begin, durable } = last;
  const { timeline, at, timeMs } = durable;
  const { history, epoch, startedAt } = begin;
  return { history, epoch, startedAt, durable: { timeline, at, time: new Date(timeMs).toISOString() } };
}

/** Both are counted in bytes of one history; of two histories nothing can be said. */
function lagBytes(
  kind: JournalKind,
  last: JournalEpoch | undefined,
  position: JournalFacts['position'],
): number | null {
  if (last === undefined || position === null || last.begin.history !== position.history) return null;
  const ahead =
    kind === 'postgres'
      ? Number(lsnOf(position.at) - lsnOf(last.durable.at))
      : Number(position.at) - Number(last.durable.at);
  return Math.max(0, ahead);
}

async function askServer(deps: Dependencies, kind: JournalKind, operation: Operation): Promise<ServerFacts> {
  const limit = AbortSignal.any([operation.signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]);
  try {
    const asking = kind === 'postgres' ? askPostgres(deps) : askRedis(deps, limit);
    return await within(ANSWER_LIMIT_MS, { doing: kind, code: 'JOURNAL_SERVER_SILENT' }, asking);
  } catch (error) {
    operation.signal.throwIfAborted();
    const { code, message } = toLifeboatError(error);
    return { position: null, slot: null, serverProblem: { code, message } };
  }
}

async function askPostgres(deps: Dependencies): Promise<ServerFacts> {
  const { target } = configured(deps.settings, 'postgres');
  const name = deps.settings.journal.slot;
  const [identity, state] = await Promise.all([deps.wal.identify(target), deps.wal.slot(target, name)]);
  const { systemIdentifier: history, timeline, lsn: at } = identity;
  const { exists, active, walStatus, retainedBytes, safeWalBytes } = state;
  return {
    position: { history, timeline, at },
    slot: { name, exists, active, walStatus, retainedBytes, safeWalBytes },
    serverProblem: null,
  };
}

async function askRedis(deps: Dependencies, signal: AbortSignal): Promise<ServerFacts> {
  const { target } = configured(deps.settings, 'redis');
  const { replid, offset, method, methodReason } = await deps.redis.inspect(target, { signal });
  const refused = method === 'replication' ? null : methodReason;
  return { position: { history: replid, timeline: 0, at: String(offset) }, slot: null, serverProblem: null, refused };
}
