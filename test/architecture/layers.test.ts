import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Goal: the rules of who may import whom hold, and a broken one is noticed.
 * Method: dependency-cruiser, once, on a copy of the sources in which every rule is broken by a planted file.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const require = createRequire(import.meta.url);
/** What the rules speak of; tests too, which no source may import. */
const COPIED = ['src', 'test', '.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'];

interface Cruise {
  readonly summary: {
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
      readonly to: string;
    }[];
    readonly totalCruised: number;
  };
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly {
      readonly resolved: string;
      readonly dynamic: boolean;
      readonly dependencyTypes: readonly string[];
    }[];
  }[];
}

/** By rule: a file that breaks it, beside the real ones, and its only line. */
const PLANTED: Readonly<Record<string, readonly [file: string, line: string]>> = {
  'no-cycles': ['src/services/planted.ts', "import './planted.ts';"],
  'domain-imports-domain': ['src/domain/planted.ts', "import 'node:fs';"],
  'contract-imports-domain': ['src/contract/planted.ts', "import '../platform/files.ts';"],
  'workflows-are-deterministic': ['src/workflows/planted.ts', "import 'node:crypto';"],
  'libraries-know-no-temporal': ['src/storage/planted.ts', "import '@temporalio/client';"],
  'stores-hold-bytes-only': ['src/storage/planted-too.ts', "import '../encryption/keyring.ts';"],
  'databases-do-not-store': ['src/redis/planted.ts', "import '../storage/open-store.ts';"],
  'recovery-joins-libraries': ['src/recovery/planted.ts', "import '../config/size.ts';"],
  'failover-joins-servers-and-a-store': ['src/failover/planted.ts', "import '../repository/repository.ts';"],
  'monitoring-knows-no-library': ['src/monitoring/planted.ts', "import '../storage/open-store.ts';"],
  'platform-is-the-floor': ['src/platform/planted.ts', "import '../config/size.ts';"],
  'client-starts-never-runs': ['src/cli/commands/planted.ts', "import '../../storage/open-store.ts';"],
  'workflow-types-only-outside': ['src/client/planted.ts', "import '../workflows/index.ts';"],
  'no-test-code-in-src': ['src/encryption/planted.ts', "import '../../test/support/caught.ts';"],
  'no-dev-dependency-in-src': ['src/config/planted.ts', "import 'fast-check';"],
};

async function cruise(folder: string): Promise<Cruise> {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [program, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const options = { cwd: folder, maxBuffer: 256 * 2 ** 20, env: { ...process.env, NODE_OPTIONS: '' } };
  // It exits with the number of violations; the report is on stdout either way.
  const { stdout } = await run(process.execPath, args, options).catch((error: { stdout: string }) => error);
  const report: Cruise = JSON.parse(stdout);
  return report;
}

let folder = '';
let found: Cruise;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lifeboat-layers-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, line] of Object.values(PLANTED)) writeFileSync(join(folder, file), `${line}\n`);
  found = await cruise(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isPlanted = (file: string): boolean => Object.values(PLANTED).some(([planted]) => planted === file);

test('no import breaks a rule', () => {
  expect(found.summary.totalCruised).toBeGreaterThan(100);
  const own = found.summary.violations.filter(({ from }) => !isPlanted(from));
  expect(own.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
});

test('every rule has a planted violation, in a folder of the sources', () => {
  const { forbidden }: { forbidden: readonly { name: string }[] } = require('../../.dependency-cruiser.cjs');
  expect(Object.keys(PLANTED).toSorted()).toEqual(forbidden.map(({ name }) => name).toSorted());
  for (const [file] of Object.values(PLANTED)) {
    expect([file, existsSync(join(ROOT, dirname(file))), existsSync(join(ROOT, file))]).toEqual([file, true, false]);
  }
});

test.each(Object.entries(PLANTED))('%s is noticed', (rule, [file]) => {
  expect(found.summary.violations.map(({ rule, from }) => `${rule.name} ${from}`)).toContain(`${rule} ${file}`);
});

test('--help loads neither Temporal, nor a driver, nor the schema', () => {
  const bySource = new Map(found.modules.map((module) => [module.source, module]));
  const seen = new Set<string>();
  const visit = (source: string): void => {
    if (seen.has(source)) return;
    seen.add(source);
    for (const { resolved, dynamic, dependencyTypes } of bySource.get(source)?.dependencies ?? []) {
      if (!dynamic && !dependencyTypes.includes('type-only')) visit(resolved);
    }
  };
  visit('src/cli/main.ts');
  const packages = [...seen]
    .filter((source) => source.includes('node_modules/'))
    .map((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? '');
  expect([...new Set(packages)].toSorted()).toEqual(['commander', 'picocolors']);
});

const protobufOf = (owner: string): string =>
  createRequire(require.resolve(`${owner}/package.json`)).resolve('protobufjs');

test('there is one protobufjs: two make recorded histories unreadable', () => {
  const copies = ['@temporalio/common', '@temporalio/proto', '@temporalio/worker'].map(protobufOf);
  expect(new Set([...copies, require.resolve('protobufjs')]).size).toBe(1);
});

test('every variable of ours that the sources name is known to the configuration', async () => {
  const { knownVariables } = await import('../../src/config/from-environment.ts');
  const named = new Map<string, string>();
  for (const folder of ['src', 'scripts', 'bin']) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(ts|mjs)$/.test(name),
    )) {
      for (const [variable] of readFileSync(join(ROOT, folder, entry), 'utf8').matchAll(
        /\bLIFEBOAT_[A-Z][A-Z_]*[A-Z]\b/g,
      ))
        named.set(variable, `${folder}/${entry}`);
    }
  }
  expect(
    [...named.keys()].filter((name) => !knownVariables().includes(name)).map((name) => `${name} in ${named.get(name)}`),
  ).toEqual([]);
});
