import { defineCommand, type CommandContext } from '../command.ts';
import { type ConfigCheck, fail, pass, skip, verdict } from '../local/check.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import type { TemporalAddress } from '../../temporal/connection.ts';
import { namedTemporal } from './named-temporal.ts';

const MARKS = { pass: 'green', fail: 'red', skip: 'yellow' } as const;

/** `config validate`: tries what the configuration says. */
export const configValidate = defineCommand({
  name: 'config validate',
  summary: 'try the configuration: values, connections, versions, rights, space, keys, Temporal',
  description:
    'Nothing is changed: databases are read, the store gets one small object for a moment, services are not touched.',
  arguments: {},
  options: {},
  examples: ['config validate', 'config validate --json | jq ".checks[] | select(.status != \\"pass\\")"'],
  answers: ['checks[] {name, status: pass|fail|skip, message, hint}'],
  exits: [7],
  async run(context) {
    const checks = await runChecks(context);
    const failure = verdict(checks);
    return {
      json: { checks: checks.map(({ name, status, message, hint }) => ({ name, status, message, hint })) },
      text: () => describe(checks, context),
      ...(failure === undefined ? {} : { failure }),
    };
  },
});

async function runChecks(context: CommandContext): Promise<readonly ConfigCheck[]> {
  const loaded = await context.config().catch((error: unknown) => {
    if (error instanceof LifeboatError) return error;
    throw error;
  });
  if (loaded instanceof LifeboatError) return describeProblems(loaded);
  const { checkConfiguration } = await import('../local/check-configuration.ts');
  const [checks, temporal] = await Promise.all([
    checkConfiguration(loaded, context.env),
    checkTemporal(context, loaded),
  ]);
  return [...checks, temporal];
}

/** Each wrong value is a line of its own. */
function describeProblems(error: LifeboatError): readonly ConfigCheck[] {
  const { problems } = error.details;
  const lines: readonly string[] = Array.isArray(problems) ? problems : [error.message];
  return lines.map((line) => ({ ...fail('configuration', error), message: line }));
}

async function checkTemporal(context: CommandContext, loaded: LoadedConfig): Promise<ConfigCheck> {
  const { connectClient, connectionSettings } = await import('../../temporal/connection.ts');
  try {
    const where = (await namedTemporal(context, loaded)) ?? (await runningStack(loaded));
    if (where === undefined) {
      const hint = 'start it now with `lifeboat up`, or name a server in TEMPORAL_ADDRESS';
      return skip('temporal', 'none is named: the local stack starts with the first command that needs it', hint);
    }
    await (await connectClient(where, 'lifeboat config validate')).close();
    const { options, namespace } = connectionSettings(where);
    return pass('temporal', `${options.address ?? ''}, namespace ${namespace}`);
  } catch (error) {
    return fail('temporal', error);
  }
}

async function runningStack({ config }: LoadedConfig): Promise<TemporalAddress | undefined> {
  const [{ stackStatus }, { stateDirOf }, { localTemporal }] = await Promise.all([
    import('../../embedded/stack.ts'),
    import('../../assembly/state-dir.ts'),
    import('../../temporal/connection.ts'),
  ]);
  const { temporalAddress } = await stackStatus({ stateDir: stateDirOf(config) });
  return temporalAddress === undefined ? undefined : localTemporal(temporalAddress);
}

function describe(checks: readonly ConfigCheck[], { output }: CommandContext): string {
  const lines = checks.map(({ name, status, message, hint }) => {
    const line = `${output.colors[MARKS[status]](status)}  ${name}: ${message}`;
    return hint === '' || status === 'pass' ? line : `${line}\n      ${output.colors.dim('hint:')} ${hint}`;
  });
  return lines.join('\n');
}
