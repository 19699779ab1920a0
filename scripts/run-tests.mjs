/**
 * Runs the suites and prints what came of them; the last line is `N passed, N failed`, alone.
 *
 *   node scripts/run-tests.mjs                    everything but chaos: what `npm test` does
 *   node scripts/run-tests.mjs chaos              the named suites: types, lint, or a folder of test/
 *   node scripts/run-tests.mjs integration redis  other words are patterns for the file names
 *
 * With TEST_TOTALS_FILE set, `<passed> <failed>` is appended to that file, and a line `# <name>` for each that failed.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE_FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const BIN = join(ROOT, 'node_modules', '.bin');

/** Checks without counted tests; a failed one counts as one failure. */
const CHECKS = { types: [join(BIN, 'tsc'), '--noEmit'], lint: [join(BIN, 'oxlint'), '--type-aware', '--quiet'] };
/** Suites that need little and run beside each other; the others use servers. */
const LIGHT = ['unit', 'contract', 'replay', 'architecture'];
const HEAVY = ['workflow', 'integration', 'chaos'];
/** Files at once: each waits for its servers, or until a death is noticed, a third of its time and more. */
const AT_ONCE = { workflow: 2, integration: Math.min(Math.ceil(1.5 * availableParallelism()), 6), chaos: 3 };
/** Files of chaos that measure loss and lag, which nothing else on the machine may change. */
const ALONE = 'journal-under-fire|journal-disasters';
/** Jest leaves a core free by itself, and so has one worker on a machine with two. */
const ALL_CORES = ['--maxWorkers=100%'];
const DEFAULT = ['types', 'lint', ...LIGHT, 'workflow', 'integration'];
const SUITES = [...Object.keys(CHECKS), ...LIGHT, ...HEAVY];

const words = process.argv.slice(2);
const named = words.filter((word) => SUITES.includes(word));
const jestArguments = words.filter((word) => !SUITES.includes(word));
const wanted = named.length > 0 ? named : jestArguments.length > 0 ? [...LIGHT, ...HEAVY] : DEFAULT;

const totals = { passed: 0, failed: 0, skipped: 0 };
/** Of all suites: said again at the end, where somebody looks. */
const failures = [];
/** Seconds of each file, for the same reason: what is slow is cut before the whole is too slow. */
const durations = new Map();
const SLOWEST = 12;
for (const name of Object.keys(CHECKS).filter((check) => wanted.includes(check))) await runCheck(name);
await runSuites(LIGHT.filter(isWanted), ALL_CORES);
for (const suite of HEAVY.filter(isWanted)) {
  await runSuites([suite], [`--maxWorkers=${AT_ONCE[suite]}`, `--testPathIgnorePatterns=chaos/(${ALONE})`]);
}
if (isWanted('chaos')) await runSuites(['chaos'], ['--runInBand', `--testPathIgnorePatterns=chaos/(?!${ALONE})`]);

if (totals.passed + totals.failed === 0) totals.failed = fail('no test ran');
const slowest = [...durations].toSorted(([, one], [, other]) => other - one).slice(0, SLOWEST);
if (slowest.length > 1) console.log(`slowest: ${slowest.map(([name, seconds]) => `${name} ${seconds} s`).join(', ')}`);
for (const name of failures) console.log(`failed: ${name}`);
if (process.env.TEST_TOTALS_FILE) appendFileSync(process.env.TEST_TOTALS_FILE, totalsLines());
if (totals.skipped > 0) console.log(`${totals.skipped} skipped: their titles say why`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 ? 1 : 0;

function totalsLines() {
  return [...failures.map((name) => `# ${name}`), `${totals.passed} ${totals.failed}`, ''].join('\n');
}

function isWanted(suite) {
  if (!wanted.includes(suite)) return false;
  const isEmpty = globSync(join(ROOT, 'test', suite, '**', '*.test.ts')).length === 0;
  if (isEmpty) console.log(`${suite}: no tests in test/${suite}`);
  return !isEmpty;
}

async function runCheck(name) {
  const started = Date.now();
  const code = await run(CHECKS[name][0], CHECKS[name].slice(1));
  console.log(`${name}: ${code === 0 ? 'ok' : 'failed'} (${Math.round((Date.now() - started) / 1000)} s)`);
  if (code !== 0) totals.failed += fail(`${name}: exit code ${code}`);
}

async function runSuites(suites, flags) {
  if (suites.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-tests-'));
  const output = join(folder, 'results.json');
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const report = ['--json', `--outputFile=${output}`, '--passWithNoTests'];
  const args = [...NODE_FLAGS, jest, '--selectProjects', ...suites, ...report, ...flags, ...patterns()];
  const code = await run(process.execPath, args, ['inherit', 'ignore', 'inherit']);
  try {
    count(JSON.parse(readFileSync(output, 'utf8')), code, suites);
  } catch {
    totals.failed += fail(`${suites.join(', ')}: jest ended with ${code} and left no results`);
  }
  rmSync(folder, { recursive: true, force: true });
}

/** `--selectProjects` takes any number of names, so patterns need a mark in front. */
function patterns() {
  return jestArguments.length === 0 ? [] : ['--testPathPatterns', ...jestArguments];
}

function count(results, code, suites) {
  totals.passed += results.numPassedTests;
  // A file that cannot even be loaded has no tests to count, and must not pass for that.
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  totals.failed += code !== 0 && failed === 0 ? fail(`${suites.join(', ')}: jest ended with ${code}`) : failed;
  totals.skipped += results.numPendingTests;
  for (const { name, status, assertionResults, startTime, endTime } of results.testResults) {
    durations.set(relative(ROOT, name), Math.round((endTime - startTime) / 1000));
    const titles = assertionResults.filter((test) => test.status === 'failed').map(({ fullName }) => fullName);
    if (status === 'failed' && titles.length === 0) titles.push('could not be loaded');
    failures.push(...titles.map((title) => `${relative(ROOT, name)}: ${title.replaceAll(/\s+/g, ' ')}`));
  }
}

function fail(line) {
  console.log(line);
  failures.push(line);
  return 1;
}

function run(command, args, stdio = 'inherit') {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
}
