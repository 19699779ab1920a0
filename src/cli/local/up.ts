import { defineCommand } from '../command.ts';
import type { CommandContext } from '../command.ts';
import { flag } from '../options.ts';

/** `up`: the local stack in the background. */
export const up = defineCommand({
  name: 'up',
  summary: 'start Temporal and a worker in the background',
  description:
    'State is in `.lifeboat`: running operations survive a restart. Safe to repeat; what has died is started again.',
  arguments: {},
  options: { demoData: flag('also a PostgreSQL and a Redis with generated data of an authentication backend') },
  examples: ['up', 'up --demo-data'],
  answers: ['services[]', 'ui', 'temporalAddress', 'demo {environmentFile}'],
  exits: [7],
  async run(context, { options }) {
    const loaded = await context.config();
    const { ensureLocalStack } = await import('../stack.ts');
    const demo = options.demoData ? await startDemoDatabases(context) : null;
    const status = await ensureLocalStack(context, loaded);
    const { services, uiUrl, temporalAddress } = status;
    return {
      json: { services, ui: uiUrl ?? null, temporalAddress: temporalAddress ?? null, demo },
      text: async () =>
        [
          await context.output.table(
            ['service', 'state', 'pid', 'port'],
            services.map((service) => [service.name, service.state, String(service.pid), String(service.port ?? '')]),
          ),
          `Temporal Web UI: ${uiUrl}`,
          ...(demo === null ? [] : [`demo data: source ${demo.environmentFile}, then lifeboat backup full`]),
        ].join('\n'),
    };
  },
});

async function startDemoDatabases(context: CommandContext): Promise<{ environmentFile: string }> {
  const { startSeededDatabases } = await import('../../embedded/demo-data.ts');
  const { stateDirOf } = await import('../../assembly/state-dir.ts');
  const { config } = await context.config();
  return startSeededDatabases({
    stateDir: stateDirOf(config),
    signal: context.signal,
    onPhase: (line) => context.output.note(line),
  });
}
