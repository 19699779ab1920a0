import type { Probe } from '../../storage/doctor/probe.ts';
import type { S3Options } from '../../storage/s3/s3-location.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { optional } from '../options.ts';
import { isFitAsPrimary, runProbes, type StoreCheck, verdict } from './store-checks.ts';

const MARKS = { pass: 'green', fail: 'red', skip: 'yellow' } as const;

/** `store doctor`: what a store really does, beyond what it says. */
export const storeDoctor = defineCommand({
  name: 'store doctor',
  summary: 'try what a store really enforces: conditions, checksums, uploads, locks, a wrong key',
  description:
    'Writes some objects below probe/ (at most 9 MiB each) and removes them. Without STORE the primary is asked. Where the bucket has Object Lock, one small object stays locked for 20 seconds unless the credentials may lift it.',
  arguments: { store: optional('name in `stores`, or a URL') },
  options: {},
  examples: ['store doctor', 'store doctor offsite', 'store doctor "s3://bucket/prefix?region=eu-central-1" --json'],
  answers: ['store', 'primary: true|false (fit to be one)', 'checks[] {name, status: pass|fail|skip, message, hint}'],
  exits: [4, 5, 7, 8],
  async run(context, input) {
    const { url, probes } = await openProbes(context, input.arguments.store);
    const checks = await runProbes(probes, context.signal);
    const failure = verdict(url, checks);
    return {
      json: {
        store: url,
        primary: isFitAsPrimary(checks),
        checks: checks.map(({ name, status, message, hint }) => ({ name, status, message, hint })),
      },
      text: () => describe(url, checks, context),
      ...(failure === undefined ? {} : { failure }),
    };
  },
});

async function openProbes(
  context: CommandContext,
  named: string | undefined,
): Promise<{ readonly url: string; readonly probes: readonly Probe[] }> {
  const [{ storeProbes }, { openStore }] = await Promise.all([
    import('../../storage/doctor/probe-store.ts'),
    import('../../storage/open-store.ts'),
  ]);
  const { url, s3 } = await whereIs(context, named);
  const store = openStore(url, context.cwd, s3);
  if (!store.url.startsWith('s3:')) return { url: store.url, probes: storeProbes(store) };
  const { s3Probes } = await import('../../storage/doctor/probe-s3.ts');
  return { url: store.url, probes: [...storeProbes(openStore(url, context.cwd, unlocked(s3))), ...s3Probes(url, s3)] };
}

/** What is written only to be removed is not locked. */
function unlocked(options: S3Options): S3Options {
  return { ...options, objectLock: undefined };
}

async function whereIs(
  context: CommandContext,
  named: string | undefined,
): Promise<{ readonly url: string; readonly s3: S3Options }> {
  if (named !== undefined && /[/:]/.test(named)) return { url: named, s3: {} };
  const [{ config }, { describeNamedStore }] = await Promise.all([
    context.config(),
    import('../../assembly/open-stores.ts'),
  ]);
  const name = named ?? config.storage.primary;
  return name === undefined ? { url: config.storage.localPath, s3: {} } : describeNamedStore(config, name);
}

function describe(url: string, checks: readonly StoreCheck[], { output }: CommandContext): string {
  const lines = checks.map(({ name, status, message, hint }) => {
    const line = `${output.colors[MARKS[status]](status)}  ${name}: ${message}`;
    return hint === '' ? line : `${line}\n      ${output.colors.dim('hint:')} ${hint}`;
  });
  return [url, ...lines].join('\n');
}
