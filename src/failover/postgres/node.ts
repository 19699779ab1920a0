import type { PostgresTarget } from '../../postgres/postgres.ts';
import type { HostProgram } from '../host/host-program.ts';

/** One server of a service: how it is reached as a server, and how its host is reached while the server is down. */
export interface PostgresNode {
  /** Name of its region. */
  readonly name: string;
  /** A superuser, or a role that may replicate, run CHECKPOINT and pg_promote, and end sessions. */
  readonly target: PostgresTarget;
  readonly host: HostProgram;
}
