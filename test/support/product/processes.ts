/** What runs on this machine because of a product. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProcessSeen {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly command: string;
}

/** Processes whose environment or arguments name `folder`: workers, and the tools they start (by their passfile). */
export async function processesOf(folder: string): Promise<ProcessSeen[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const seen = await Promise.all(pids.map(async (pid) => look(Number(pid), folder)));
  return seen.filter((process) => process !== undefined);
}

/** Tools of PostgreSQL among them. */
export async function toolsOf(folder: string): Promise<ProcessSeen[]> {
  return (await processesOf(folder)).filter(({ name }) =>
    /^(pg_basebackup|pg_dump|pg_dumpall|pg_restore|psql)$/.test(name),
  );
}

/** Waits until a tool with this name runs, and gives it. */
export async function untilTool(folder: string, name: string, limitMs = 60_000): Promise<ProcessSeen> {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await delay(10)) {
    const found = (await toolsOf(folder)).find((tool) => tool.name === name);
    if (found) return found;
  }
  throw new Error(`no ${name} within ${limitMs} ms`);
}

/** kill -9 of all tools with this name; waits for the first one, and throws when none comes. */
export async function killTools(folder: string, name: string): Promise<void> {
  for (let killed = 0; killed === 0;) {
    await untilTool(folder, name);
    for (const { pid } of (await toolsOf(folder)).filter((tool) => tool.name === name)) killed += killTool(pid);
  }
}

/** kill -9, and how many that were: one that has ended since somebody looked was not killed. */
export function killTool(pid: number): 0 | 1 {
  try {
    process.kill(pid, 'SIGKILL');
    return 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 0;
    throw error;
  }
}

async function look(pid: number, folder: string): Promise<ProcessSeen | undefined> {
  try {
    const [environ, command] = await Promise.all([
      readFile(`/proc/${pid}/environ`, 'latin1'),
      readFile(`/proc/${pid}/cmdline`, 'latin1'),
    ]);
    if (!environ.includes(folder) && !command.includes(folder)) return undefined;
    const status = await readFile(`/proc/${pid}/stat`, 'latin1');
    const name = status.slice(status.indexOf('(') + 1, status.lastIndexOf(')'));
    const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
    // A zombie is gone; only its parent has not looked yet.
    return state === 'Z' ? undefined : { pid, parent: Number(parent), name, command: command.replaceAll('\0', ' ') };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}
