import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { type Child, spawnChild } from '../../platform/child-process.ts';
import { createPrivateFolder } from '../../platform/files.ts';
import { freePort, isPortFree } from '../../platform/ports.ts';
import { abortError } from '../connect.ts';
import type { RedisTarget } from '../redis.ts';
import { openRedisSocket } from '../socket.ts';

/** A server that reads tens of gigabytes of append-only files takes minutes; one that takes longer is stuck. */
const READY_WITHIN_MS = 3_600_000;
const POLL_MS = 100;
const ANSWER_TIMEOUT_MS = 5_000;
/** Somebody may take the free port between looking and binding. */
const STARTS_MAX = 3;
const LOG_TAIL_BYTES = 2_048;
/** More than anybody uses: the number of databases of the source is not in a snapshot. */
const DATABASES = 1_024;

export interface ScratchOptions {
  /** redis-server: a path, or a name to be found on PATH. */
  readonly serverPath?: string;
  /** An append-only directory to begin with; it is only read. Without it the server is empty. */
  readonly directory?: string;
  /** An empty folder for what it writes; it is removed in the end. One is made where undefined. */
  readonly folder?: string;
}

/** A redis-server of our own that lives as long as we need it. */
export interface ScratchRedis {
  readonly target: RedisTarget;
  /** Ends it, waits for it and removes what it left. Safe to call twice. */
  end(): Promise<void>;
}

/**
 * Starts a redis-server that nobody else can use: it listens on the loopback, wants a random password, which it is told
 * through its standard input, and neither saves nor replicates. It ends with this process, however that ends. TOOL_MISSING without the program,
 * REDIS_SCRATCH_NOT_STARTED when it ends by itself.
 */
export async function startScratchRedis(options: ScratchOptions, operation: Operation): Promise<ScratchRedis> {
  const folder = options.folder ?? (await createPrivateFolder('lifeboat-redis'));
  const removeFolder = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
  try {
    for (let start = 1; ; start += 1) {
      const port = await freePort();
      const started = await tryStart({ ...options, directory: options.directory ?? folder, port }, operation);
      if ('target' in started) {
        const end = async (): Promise<void> => {
          await started.child.end();
          await removeFolder();
        };
        return { target: started.target, end };
      }
      // Ended, and its port is not free: somebody was faster.
      if (start === STARTS_MAX || (await isPortFree(port))) throw started.error;
    }
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

type Started = { readonly target: RedisTarget; readonly child: Child } | { readonly error: LifeboatError };

async function tryStart(
  { serverPath, directory, port }: ScratchOptions & { readonly directory: string; readonly port: number },
  operation: Operation,
): Promise<Started> {
  const password = randomBytes(24).toString('hex');
  const child = spawnChild({
    name: 'redis-server',
    command: serverPath ?? 'redis-server',
    args: ['-'],
    cwd: directory,
    stdin: 'pipe',
    signal: operation.signal,
  });
  const log = tailOf(child);
  try {
    child.stdin?.end(configuration({ directory, port, password }));
    const target = { host: '127.0.0.1', port, password };
    if (await isReady(target, child, operation)) return { target, child };
    const { code, signal, stderrTail } = await child.exited;
    const what = `start a scratch redis-server: it ended with ${code ?? signal}`;
    return { error: new LifeboatError('REDIS_SCRATCH_NOT_STARTED', what, { details: { log: log(), stderrTail } }) };
  } catch (error) {
    await child.end();
    throw error;
  }
}

function configuration(server: {
  readonly directory: string;
  readonly port: number;
  readonly password: string;
}): string {
  return [
    'bind 127.0.0.1',
    `port ${server.port}`,
    `requirepass ${server.password}`,
    `dir ${JSON.stringify(server.directory)}`,
    `databases ${DATABASES}`,
    'daemonize no',
    'save ""',
    // Append-only files are read when there are any, and left as they are as soon as they have been read.
    'appendonly yes',
    'aof-load-truncated no',
    'auto-aof-rewrite-percentage 0',
    'repl-diskless-sync yes',
    'repl-diskless-sync-delay 0',
    'client-output-buffer-limit replica 0 0 0',
    '',
  ].join('\n');
}

/** The last of what the server wrote; reading it also keeps it from waiting for a reader. */
function tailOf(child: Child): () => string {
  let tail = Buffer.alloc(0);
  child.stdout.on('data', (bytes: Buffer) => {
    tail = Buffer.concat([tail, bytes]).subarray(-LOG_TAIL_BYTES);
  });
  return () => tail.toString('utf8').trim();
}

/** False when the server has ended. */
async function isReady(target: RedisTarget, child: Child, operation: Operation): Promise<boolean> {
  let running = true;
  void child.exited.then(() => (running = false));
  for (const deadline = Date.now() + READY_WITHIN_MS; running; await delay(POLL_MS)) {
    if (operation.signal.aborted) throw abortError(operation.signal, 'start a scratch redis-server');
    operation.onProgress({ phase: 'starting a scratch redis', bytes: 0 });
    const trouble = await stopPersisting(target, operation);
    if (trouble === undefined) return true;
    const comesYet = trouble.code === 'REDIS_NOT_READY' || trouble.code === 'REDIS_UNREACHABLE';
    if ((!comesYet && running) || Date.now() > deadline) throw trouble;
  }
  return false;
}

/** The first thing that a server does for us. What it answers while it loads is not an answer yet. */
async function stopPersisting(target: RedisTarget, { signal }: Operation): Promise<LifeboatError | undefined> {
  try {
    const redis = await openRedisSocket(target, { signal, replyTimeoutMs: ANSWER_TIMEOUT_MS });
    try {
      await redis.command('CONFIG', 'SET', 'appendonly', 'no');
      return undefined;
    } finally {
      redis.close();
    }
  } catch (error) {
    return toLifeboatError(error);
  }
}
