/**
 * Two regions as network namespaces of this machine, on a bridge: a region that is cut takes packets and answers none, as a lost line does. Needs
 * root and iproute2. Removed at the end; what a killed run left is removed by the next one.
 */
import { readdir } from 'node:fs/promises';
import { Client } from 'pg';
import type { ServerCommand } from '../../src/embedded/local-server.ts';
import { runChild, spawnChild, type Child } from '../../src/platform/child-process.ts';

/** Where a server runs that is not on the loopback of this machine. */
export interface ServerPlace {
  /** Its address, for others. */
  readonly host: string;
  /** The command as it is run there. */
  enter(command: ServerCommand): ServerCommand;
}

export interface Region extends ServerPlace {
  /** Nobody hears it any more, and it hears nobody; what runs there goes on. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  /** Before a command: as `ssh` would, it fails where the region is not reached. */
  readonly remotely: readonly string[];
}

export interface Regions {
  readonly a: Region;
  readonly b: Region;
  stop(): Promise<void>;
}

const NEVER = new AbortController().signal;
const PREFIX = 'lifeboat-';

/** As `whenAvailable`: skipped with the reason where nobody is root; with CI=true root has to have what it takes. */
export async function whenRegions(
  suite: (name: string, tests: () => void) => void,
): Promise<(name: string, tests: () => void) => void> {
  if (process.getuid?.() !== 0) return skipped('network namespaces are made by root');
  const reason = await ip('netns', 'list').then(
    () => null,
    (error: Error) => error.message,
  );
  if (reason === null) return suite;
  if (process.env['CI'] === 'true') throw new Error(`network namespaces cannot be made: ${reason}`);
  return skipped(reason);
}

const skipped =
  (reason: string) =>
  (name: string, tests: () => void): void =>
    describe.skip(`${name} (skipped: ${reason})`, tests);

export async function startRegions(): Promise<Regions> {
  await removeLeftOvers();
  const bridge = `lb-${process.pid}`;
  const net = `10.99.${process.pid % 250}`;
  await ip('link', 'add', bridge, 'type', 'bridge');
  await ip('addr', 'add', `${net}.1/24`, 'dev', bridge);
  await ip('link', 'set', bridge, 'up');
  const doors: Child[] = [];
  const open = async (name: 'a' | 'b', host: string): Promise<Region> => {
    const space = `${PREFIX}${process.pid}-${name}`;
    const link = `${bridge}${name}`;
    const inside = async (...args: readonly string[]): Promise<void> => ip('-n', space, ...args);
    await ip('netns', 'add', space);
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    await ip('link', 'set', link, 'master', bridge);
    await inside('addr', 'add', `${host}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) await inside('link', 'set', device, 'up');
    await ip('link', 'set', link, 'up');
    const door = ['-e', `require('node:net').createServer((socket) => socket.end()).listen(22, '${host}')`];
    doors.push(spawnChild({ name: 'door', ...enterSpace(space, process.execPath, door), signal: NEVER }));
    return {
      host,
      enter: (command) => enter(command, space, host),
      cut: async () => ip('link', 'set', link, 'down'),
      heal: async () => ip('link', 'set', link, 'up'),
      remotely: ['bash', '-c', REMOTELY, host],
    };
  };
  return {
    a: await open('a', `${net}.11`),
    b: await open('b', `${net}.12`),
    async stop() {
      await Promise.all(doors.map(async (door) => door.end()));
      await remove(process.pid);
    },
  };
}

const REMOTELY = `timeout 2 bash -c ': <"/dev/tcp/$0/22"' "$0" || { echo "connect to host $0 port 22: timed out" >&2; exit 255; }; exec "$@"`;

function enterSpace(space: string, command: string, args: readonly string[]): { command: string; args: string[] } {
  return { command: 'nsenter', args: [`--net=/run/netns/${space}`, '--', command, ...args] };
}

/** The account is taken after the namespace, which only root enters. */
function enter({ user, command, args, ...rest }: ServerCommand, space: string, host: string): ServerCommand {
  const account =
    user === undefined ? [] : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--'];
  const [program = '', ...more] = [...account, command, ...args];
  const port = Number(/^port=(\d+)$/.exec(args.find((word) => word.startsWith('port=')) ?? '')?.[1]);
  return { ...rest, ...enterSpace(space, program, more), isReady: async () => accepts(host, port) };
}

/** A server that asks for a password takes connections. */
async function accepts(host: string, port: number): Promise<boolean> {
  const client = new Client({
    host,
    port,
    user: 'postgres',
    password: 'wrong',
    connectionTimeoutMillis: 2_000,
    ssl: false,
  });
  client.on('error', () => undefined);
  return client.connect().then(
    () => true,
    (error: { code?: string }) => error.code === '28P01',
  );
}

async function ip(...args: readonly string[]): Promise<void> {
  const { exit } = await runChild({ name: 'ip', command: 'ip', args, signal: NEVER });
  if (exit.code !== 0) throw new Error(`ip ${args.join(' ')}: exit ${exit.code}: ${exit.stderrTail}`);
}

async function remove(pid: number): Promise<void> {
  for (const name of ['a', 'b']) await ip('netns', 'del', `${PREFIX}${pid}-${name}`).catch(() => undefined);
  await ip('link', 'del', `lb-${pid}`).catch(() => undefined);
}

async function removeLeftOvers(): Promise<void> {
  const spaces = await readdir('/run/netns').catch(() => []);
  const pids = new Set(spaces.flatMap((name) => /^lifeboat-(\d+)-[ab]$/.exec(name)?.[1] ?? []).map(Number));
  for (const pid of pids) if (!isAlive(pid)) await remove(pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
