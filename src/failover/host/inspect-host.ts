import { LifeboatError } from '../../domain/errors.ts';
import type { HostProgram } from './host-program.ts';
import { runOnHost } from './run-on-host.ts';

/** A data directory, as its control file and `pg_ctl` describe it; known while the server is down. */
export interface HostState {
  readonly running: boolean;
  /** `shut down`, `shut down in recovery`, `in production` (also after a crash), `in archive recovery`. */
  readonly clusterState: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Where the record of the last checkpoint begins. */
  readonly checkpointLsn: string;
  readonly segmentBytes: number;
  /** standby.signal is there. */
  readonly fenced: boolean;
  /** On the disk of the data directory, for its account. */
  readonly freeBytes: number;
}

/** @throws LifeboatError FAILOVER_COMMAND_FAILED, FAILOVER_HOST_UNREADABLE */
export async function inspectHost(
  node: { readonly name: string; readonly host: HostProgram },
  signal: AbortSignal,
): Promise<HostState> {
  const doing = `look at the data directory of ${node.name}`;
  return parseHostState(doing, await runOnHost({ doing, host: node.host, verb: 'inspect', signal }));
}

/** `label: value` lines. https://www.postgresql.org/docs/current/app-pgcontroldata.html */
export function parseHostState(doing: string, text: string): HostState {
  const lines = new Map(text.split('\n').map(splitLine));
  const read = (label: string, pattern: RegExp): string => {
    const value = lines.get(label) ?? '';
    if (pattern.test(value)) return value;
    throw new LifeboatError(
      'FAILOVER_HOST_UNREADABLE',
      `${doing}: "${label}" is ${value === '' ? 'missing' : `"${value}"`}`,
    );
  };
  return {
    running: read('pg_ctl', /^(server is running|no server running)/).startsWith('server'),
    clusterState: read('Database cluster state', /^[a-z ]+$/),
    systemIdentifier: read('Database system identifier', /^\d+$/),
    timeline: Number(read("Latest checkpoint's TimeLineID", /^[1-9]\d*$/)),
    checkpointLsn: read('Latest checkpoint location', /^[0-9A-F]+\/[0-9A-F]+$/),
    segmentBytes: Number(read('Bytes per WAL segment', /^\d+$/)),
    fenced: read('standby.signal', /^(present|absent)$/) === 'present',
    freeBytes: Number(read('free bytes', /^\d+$/)),
  };
}

function splitLine(line: string): [string, string] {
  const at = line.indexOf(':');
  return at === -1 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}
