import type { Client, Connection } from 'pg';
import type { PostgresTarget } from '../../postgres.ts';
import { openClient, type SessionRequest } from '../../connection/session.ts';

export type TextRow = readonly (string | null)[];

/** Called in order, as they come. The payload is a view of a buffer that is used again: copy what is kept. */
export type OnCopyData = (payload: Buffer) => void;

/** A CopyBoth exchange that runs. */
export interface CopyExchange {
  /** Rows that the server gave after it had ended the exchange; rejects when the connection or the server broke off. */
  readonly ended: Promise<readonly TextRow[]>;
  send(payload: Buffer): void;
  /** Stops and goes on reading from the socket; `send` works all the same. */
  pause(): void;
  resume(): void;
}

/** A connection that takes replication commands; one at a time. Errors are those of node-postgres, not yet ours. */
export interface ReplicationSession {
  command(text: string): Promise<readonly TextRow[]>;
  exchange(text: string, onData: OnCopyData): CopyExchange;
  /** Says goodbye, reads over what still comes, and is gone after a bounded time. Never rejects. */
  end(): Promise<void>;
  /** Closes the socket at once. */
  destroy(): void;
}

/** What the server still sends after a goodbye is read over this long; then the socket is closed anyway. */
const END_LIMIT_MS = 2_000;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);
const COPY_DATA = 0x64;
const FRAME_HEADER_BYTES = 5;

/** @throws LifeboatError POSTGRES_UNREACHABLE, POSTGRES_AUTH_FAILED, POSTGRES_RIGHTS_MISSING and the like */
export async function openReplication(
  target: PostgresTarget,
  request: Pick<SessionRequest, 'doing' | 'connectTimeoutMs' | 'signal'> & { readonly applicationName: string },
): Promise<ReplicationSession> {
  const client = await openClient(target, { ...request, replication: 'true' });
  let socket: Connection['stream'] | undefined;
  const run = async (text: string, onData?: OnCopyData): Promise<readonly TextRow[]> =>
    submit(client, text, { onConnection: (connection) => (socket = connection.stream), onData });
  return {
    command: async (text) => run(text),
    exchange: (text, onData) => ({
      ended: run(text, onData),
      send: (payload) => void socket?.write(copyData(payload)),
      pause: () => void socket?.pause(),
      resume: () => void socket?.resume(),
    }),
    end: async () => sayGoodbye(client, socket),
    destroy: () => void socket?.destroy(),
  };
}

/** While a command runs `client.end()` closes the socket at once, and with it goes what was sent last. */
async function sayGoodbye(client: Client, socket: Connection['stream'] | undefined): Promise<void> {
  if (socket === undefined) return client.end().catch(() => undefined); // Broken already: there is nothing left to close.
  if (socket.closed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const timer = setTimeout(() => socket.destroy(), END_LIMIT_MS);
  socket.resume();
  socket.end(TERMINATE);
  await closed;
  clearTimeout(timer);
}

/** Runs one command as node-postgres runs a query, and takes what it has no handling for: CopyBoth and plain text rows. */
async function submit(
  client: Client,
  text: string,
  hooks: {
    onConnection(connection: Connection): void;
    readonly onData: OnCopyData | undefined;
  },
): Promise<readonly TextRow[]> {
  let connection: Connection | undefined;
  // The server ends its half of the exchange, at the end of a timeline: ours ends with it, then the answer comes.
  const onCopyDone = (): void => void connection?.stream.write(COPY_DONE);
  try {
    return await new Promise((resolve, reject) => {
      const rows: TextRow[] = [];
      client.query({
        submit(given: Connection) {
          connection = given;
          hooks.onConnection(given);
          given.on('copyDone', onCopyDone);
          given.query(text);
        },
        handleCopyData: ({ chunk }: { chunk: Buffer }) => hooks.onData?.(chunk),
        handleDataRow: ({ fields }: { fields: TextRow }) => rows.push(fields),
        handleRowDescription: () => undefined,
        handleCommandComplete: () => undefined,
        handleReadyForQuery: () => resolve(rows),
        handleError: reject,
      });
    });
  } finally {
    connection?.off('copyDone', onCopyDone);
  }
}

function copyData(payload: Buffer): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  frame[0] = COPY_DATA;
  frame.writeUInt32BE(payload.length + 4, 1);
  payload.copy(frame, FRAME_HEADER_BYTES);
  return frame;
}
