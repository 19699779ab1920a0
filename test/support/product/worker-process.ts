import { join } from 'node:path';
import { PROJECT_DIR } from '../../../src/embedded/places.ts';
import { spawnChild, type Child } from '../../../src/platform/child-process.ts';
import { compileCache } from './compile-cache.ts';

export interface WorkerProcess {
  readonly pid: number;
  /** Starts it and waits until it polls. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** kill -9 of the worker alone, not of its group: what it started must notice by itself. Waits for its end. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Starts it again at once whenever it ends, until `stop`; gives how often that happened. */
  supervise(env?: Readonly<Record<string, string>>): { readonly restarts: () => number };
  /** SIGTERM, and waits. */
  stop(): Promise<void>;
}

export interface WorkerPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Modules that are loaded before the worker. */
  readonly preload?: readonly string[];
}

/** A worker in a process of its own; it dies with this process. */
export function createWorkerProcess(place: WorkerPlace): WorkerProcess {
  let child: Child | undefined;
  let stopping = false;
  const running = (): Child => {
    if (child === undefined) throw new Error('the worker was not started');
    return child;
  };
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<void> => {
    const preload = (place.preload ?? []).flatMap((module) => ['--import', module]);
    child = spawnChild({
      name: 'worker',
      command: process.execPath,
      args: [...preload, join(PROJECT_DIR, 'src/worker.ts')],
      env: { ...compileCache(), ...place.env, ...more },
      cwd: place.cwd,
      signal: new AbortController().signal,
    });
    await untilReady(child);
  };
  return {
    get pid() {
      return running().pid;
    },
    start,
    async kill() {
      process.kill(running().pid, 'SIGKILL');
      await running().exited;
    },
    signal: (signal) => void process.kill(running().pid, signal),
    supervise(more) {
      let restarts = 0;
      const watch = async (): Promise<void> => {
        while (!stopping) {
          await running().exited;
          if (stopping) return;
          restarts += 1;
          // One that dies while it starts is started again, like any other.
          await start(more).catch(() => undefined);
        }
      };
      void watch();
      return { restarts: () => restarts };
    },
    async stop() {
      stopping = true;
      await child?.end();
    },
  };
}

async function untilReady(child: Child): Promise<void> {
  let seen = '';
  const ready = new Promise<boolean>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString('utf8');
      if (seen.includes('"ready":true')) resolve(true);
    });
    void child.exited.then(() => resolve(false));
  });
  if (await ready) return;
  const { code, signal, stderrTail } = await child.exited;
  throw new Error(`the worker ended before it was ready: ${code ?? signal}: ${stderrTail}`);
}
