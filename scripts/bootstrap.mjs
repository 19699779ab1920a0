/**
 * The way in from nothing: installs the packages, provides Node 24, then runs the real thing on it.
 *
 *   node scripts/bootstrap.mjs test [suite…]     provisions test servers, then scripts/run-tests.mjs
 *   node scripts/bootstrap.mjs check             scripts/check.mjs
 *   node scripts/bootstrap.mjs cli [args…]       the command line
 *   node scripts/bootstrap.mjs <command> [args…] the command line with that command: demo, up, down, …
 *
 * Plain JavaScript without dependencies, for Node 20.19 and newer: it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const LOCKFILE = join(ROOT, 'package-lock.json');
const STAMP = join(MODULES, '.lifeboat-lockfile');
const NODE = join(MODULES, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const OLDEST_NODE = [20, 19];
/** npm prints its whole manual after an error; the cause is at the top. */
const SHOWN_LINES = 12;
const LOCK_POLL_MS = 200;
const INSTALL_LIMIT_MS = 15 * 60_000;

/**
 * Settings of npm that an installation may take over. Everything else stays out: under `npm run x --dry-run` npm puts
 * npm_config_dry_run into the environment, and an inner `npm ci` would then install nothing.
 */
const NPM_SETTINGS =
  /^npm_config_(registry|cache|userconfig|globalconfig|proxy|https_proxy|noproxy|cafile|ca|strict_ssl)$/i;

/** Runs a verb and ends this process with its exit code, or by its signal. */
export async function bootstrap(verb = 'cli', args = []) {
  try {
    requireNode();
    await install();
    if (verb === 'test') await provision();
    await replaceBy(NODE, [...entry(verb), ...args]);
  } catch (error) {
    console.error(`lifeboat: ${error.message}`);
    process.exitCode = 1;
  }
}

function entry(verb) {
  if (verb === 'test') return [join(ROOT, 'scripts', 'run-tests.mjs')];
  if (verb === 'check') return [join(ROOT, 'scripts', 'check.mjs')];
  const main = join(ROOT, 'src', 'cli', 'main.ts');
  return verb === 'cli' ? [main] : [main, verb];
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new Error(`this is Node ${process.versions.node}; install Node ${OLDEST_NODE.join('.')} or newer`);
}

/** Installs the locked packages where they are missing or not those of the lockfile. */
async function install() {
  if (!existsSync(LOCKFILE) || isInstalled()) return;
  await withLock(MODULES, async () => {
    if (isInstalled()) return;
    console.error('lifeboat: installing packages (npm ci)');
    const npm = npmCommand();
    const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await capture(npm[0], [...npm.slice(1), ...flags], npmEnvironment());
    if (code !== 0) {
      const start = output.trim().split('\n').slice(0, SHOWN_LINES).join('\n');
      throw new Error(
        `npm ci ended with ${code}:\n${start}\nis the package registry reachable, and the disk not full?`,
      );
    }
    if (!existsSync(NODE))
      throw new Error('npm ci installed no Node 24: are install scripts switched off (ignore-scripts)?');
    writeFileSync(STAMP, lockfileDigest());
  });
}

/** The stamp is written last. Without one, an installation that npm itself finished after the lockfile changed is good too. */
function isInstalled() {
  if (!existsSync(NODE)) return false;
  if (existsSync(STAMP)) return readFileSync(STAMP, 'utf8') === lockfileDigest();
  const finished = join(MODULES, '.package-lock.json');
  return existsSync(finished) && statSync(finished).mtimeMs >= statSync(LOCKFILE).mtimeMs;
}

function lockfileDigest() {
  return createHash('sha256').update(readFileSync(LOCKFILE)).digest('hex');
}

function npmCommand() {
  const running = process.env.npm_execpath ?? '';
  return /^npm(-cli)?\.c?js$/.test(basename(running)) ? [process.execPath, running] : ['npm'];
}

function npmEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || NPM_SETTINGS.test(name));
  return Object.fromEntries(kept);
}

async function provision() {
  const { code } = await run(NODE, [join(ROOT, 'scripts', 'provision.ts')]);
  if (code !== 0) throw new Error('programs of the test servers are missing (see above)');
}

/** One process at a time: a listening socket, which the system releases when its holder dies. See src/platform/lock.ts. */
async function withLock(name, work) {
  const digest = createHash('sha256')
    .update(`${process.getuid?.() ?? 0}:${name}`)
    .digest('hex')
    .slice(0, 32);
  const address = process.platform === 'linux' ? `\0lifeboat-${digest}` : join(tmpdir(), `lifeboat-${digest}.lock`);
  const deadline = Date.now() + INSTALL_LIMIT_MS;
  for (let attempt = 0; ; attempt += 1) {
    const server = await tryListen(address);
    if (server !== undefined) return work().finally(() => server.close());
    if (attempt === 0) console.error('lifeboat: waiting for another installation');
    if (Date.now() > deadline) throw new Error(`another process has been installing for too long (lock ${digest})`);
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

function tryListen(address) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });
}

function capture(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** Runs a child on our terminal; signals reach it, and a Ctrl-C only once. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const path = [join(MODULES, '.bin'), process.env.PATH].join(delimiter);
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
    const forward = (signal) => {
      // The terminal sends SIGINT to the whole group itself.
      if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve({ code, signal });
    });
  });
}

async function replaceBy(command, args) {
  const { code, signal } = await run(command, args);
  if (signal !== null) process.kill(process.pid, signal);
  else process.exitCode = code;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await bootstrap(process.argv[2], process.argv.slice(3));
}
