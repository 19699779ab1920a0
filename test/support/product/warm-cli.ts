import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { inheritedEnvironment } from '../../../src/platform/environment.ts';
import { compileCache } from './compile-cache.ts';
import { resultOf, TIMEOUT_MS, type CliResult } from './run-cli.ts';

export interface WarmRequest {
  readonly id: number;
  readonly argv: readonly string[];
}

export interface WarmAnswer extends WarmExit {
  readonly id: number;
}

interface WarmExit {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in one process for all commands: half a second of processor time less for each than a process of its own. */
export interface WarmCli {
  /** As `runCli`: a run that hangs is killed, with all others of this process, and `exit` is null then. */
  run(args: readonly string[]): Promise<CliResult>;
  stop(): void;
}

/** Starts it with the first command; it ends with us in any case. */
export function createWarmCli(place: {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}): WarmCli {
  const waiting = new Map<number, (exit: WarmExit) => void>();
  let child: ChildProcess | undefined;
  let last = 0;

  const start = (): ChildProcess => {
    const program = join(import.meta.dirname, '../programs/warm-cli.ts');
    const env = { ...inheritedEnvironment(), ...compileCache(), ...place.env };
    const started = fork(program, [], {
      cwd: place.cwd,
      env,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let stderr = '';
    started.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    started.on('message', ({ id, ...exit }: WarmAnswer) => settle(id, exit));
    started.once('close', () => {
      if (child === started) child = undefined;
      for (const id of waiting.keys()) settle(id, { exit: null, stdout: '', stderr });
    });
    return started;
  };
  const settle = (id: number, exit: WarmExit): void => {
    waiting.get(id)?.(exit);
    waiting.delete(id);
  };
  return {
    async run(args) {
      child ??= start();
      const running = child;
      const id = (last += 1);
      const exit = new Promise<WarmExit>((resolve) => waiting.set(id, resolve));
      running.send({ id, argv: [...args, '--json'] } satisfies WarmRequest);
      const timer = setTimeout(() => running.kill('SIGKILL'), TIMEOUT_MS);
      const ended = await exit;
      clearTimeout(timer);
      return resultOf(ended.exit, ended.stdout, ended.stderr);
    },
    stop: () => void child?.kill('SIGKILL'),
  };
}
