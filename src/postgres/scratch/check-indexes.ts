import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { spawnChild } from '../../platform/child-process.ts';
import { textLines } from '../../platform/text-lines.ts';
import { withSession } from '../connection/session.ts';
import type { PostgresServerTools } from '../physical/physical.ts';
import type { PostgresTarget } from '../postgres.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';

/** pg_amcheck: 0 nothing found, 1 it could not check, 2 corruption. */
const CORRUPTION = 2;
/** Lines of findings that stand in a report. */
const LINES_MAX = 10;
const LINE_MAX = 300;
/** A check of one big index says nothing for hours; that it runs is what is told. */
const PULSE_MS = 5_000;
const NAME = 'pg_amcheck --heapallindexed';

/**
 * Compares every heap and every B-tree of a scratch database with its own rules, and each row with the indexes that must have it. The
 * extension amcheck is made in the database where it is missing, so it is one that is thrown away.
 * @throws LifeboatError DRILL_AMCHECK_FAILED where it came to no answer
 */
export async function checkIndexes(
  request: { readonly target: PostgresTarget; readonly tools: PostgresServerTools; readonly jobs: number },
  operation: Operation,
): Promise<Check> {
  const { target, tools } = request;
  if (!(await hasAmcheck(target, operation))) {
    const message =
      'the extension amcheck is not installed with the PostgreSQL of this host: indexes were not compared with their tables';
    return { name: NAME, status: 'skip', expected: 'no corruption', actual: 'not run', message };
  }
  const { code, relations, lines, stderrTail } = await run(request, operation);
  const checked = `${relations} relations`;
  if (code === 0)
    return { name: NAME, status: 'pass', expected: 'no corruption', actual: `none in ${checked}`, message: '' };
  if (code === CORRUPTION) {
    const message = lines.slice(0, LINES_MAX).join('; ');
    return {
      name: NAME,
      status: 'fail',
      expected: 'no corruption',
      actual: `${lines.length} lines of findings`,
      message,
    };
  }
  throw new LifeboatError('DRILL_AMCHECK_FAILED', `${tools.pgAmcheck}: ${stderrTail || `exit ${code}`}`);
}

async function hasAmcheck(target: PostgresTarget, { signal }: Operation): Promise<boolean> {
  return withSession(target, { doing: 'look for amcheck', signal }, async (session) => {
    const { found } = await session.one<{ found: boolean }>(
      "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck') AS found",
    );
    return found;
  });
}

async function run(
  { target, tools, jobs }: Parameters<typeof checkIndexes>[0],
  operation: Operation,
): Promise<{
  readonly code: number | null;
  readonly relations: number;
  readonly lines: string[];
  readonly stderrTail: string;
}> {
  const connection = { target, passfile: `${target.host}/none`, applicationName: 'lifeboat' };
  const child = spawnChild({
    name: 'pg_amcheck',
    command: '/bin/sh',
    // What it checks is said on stderr, what it finds on stdout: both are read, in one stream.
    args: [
      '-c',
      'exec "$0" "$@" 2>&1',
      tools.pgAmcheck,
      ...ARGUMENTS,
      `--jobs=${jobs}`,
      `--database=${asPattern(target.database)}`,
    ],
    env: toolEnvironment(connection, tools.pgAmcheck),
    signal: operation.signal,
  });
  const startedAt = Date.now();
  let relations = 0;
  const findings: string[] = [];
  const tell = (): void =>
    operation.onProgress({ phase: 'comparing indexes with tables', bytes: 0, items: Date.now() - startedAt });
  const pulse = setInterval(tell, PULSE_MS);
  try {
    for await (const text of textLines(child.stdout, { unfinished: true })) {
      const line = text.trim();
      if (line.startsWith('pg_amcheck: checking ')) relations += 1;
      else if (!/^pg_amcheck: (?:including|in database|query|excluding)/.test(line) && line !== '')
        keep(findings, line);
    }
    const { code } = await child.exited;
    operation.signal.throwIfAborted();
    return { code, relations, lines: findings, stderrTail: findings.slice(-LINES_MAX).join('; ') };
  } finally {
    clearInterval(pulse);
    await child.end();
  }
}

/** What psql calls a pattern: without quotes, letters are made small, and `*`, `?` and dots mean something. */
const asPattern = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const ARGUMENTS = ['--verbose', '--heapallindexed', '--install-missing', '--no-password'];

/** More findings than anybody reads are counted, not kept. */
const KEPT_MAX = 10_000;

function keep(findings: string[], line: string): void {
  if (findings.length < KEPT_MAX) findings.push(line.slice(0, LINE_MAX));
}
