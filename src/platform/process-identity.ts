import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemErrorCode } from './system-error.ts';

/** A process that is told apart from a later one with the same pid: `startedAt` is opaque, and differs between the two. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** The identity of a running process; undefined when there is none, or only its zombie. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether this very process still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startedAt === identity.startedAt;
}

const POLL_MS = 25;
/** SIGKILL takes effect at once, unless the process hangs in the kernel (a dead disk). */
const KILL_LIMIT_MS = 5_000;

/**
 * Ends the process group that `identity` leads: `signal`, then SIGKILL after `graceMs`; resolves when the leader is gone,
 * and says whether it is. Never signals a stranger that got the same pid.
 */
export async function endProcessGroup(
  identity: ProcessIdentity,
  options: { readonly signal: NodeJS.Signals; readonly graceMs: number },
): Promise<boolean> {
  return (await endWith(identity, options.signal, options.graceMs)) || endWith(identity, 'SIGKILL', KILL_LIMIT_MS);
}

async function endWith(identity: ProcessIdentity, signal: NodeJS.Signals, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  if (!(await isRunning(identity))) return true;
  signalGroup(identity.pid, signal);
  while (Date.now() < deadline) {
    if (!(await isRunning(identity))) return true;
    await delay(POLL_MS);
  }
  return false;
}

/** Sends a signal to a process group; one that has ended already is fine. */
export function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signal);
  } catch (error) {
    // ESRCH: the group has ended, which is what a signal is for. macOS says EPERM when only zombies are left.
    const code = systemErrorCode(error);
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** proc(5): field 3 is the state, field 22 the start in clock ticks since boot; the name in field 2 may hold anything. */
async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return `${boot.trim()}:${fields[19]}`;
}

async function startByPs(pid: number): Promise<string | undefined> {
  // `ps` exits with 1 when there is no such process.
  const result = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).catch(() => undefined);
  const line = result?.stdout.trim();
  if (line === undefined || line === '' || line.startsWith('Z')) return undefined;
  return line.replace(/^\S+\s+/, '');
}
