import { defineCommand } from '../command.ts';
import { value } from '../options.ts';

/** `worker`: a worker in the foreground. */
export const worker = defineCommand({
  name: 'worker',
  summary: 'run a worker in the foreground',
  description: 'It waits for a Temporal server that is not there yet. SIGTERM lets it finish what it can.',
  arguments: {},
  options: { roles: value('<list>', 'control, data, journal, copy; all of them by default') },
  examples: ['worker', 'worker --roles data'],
  answers: ['ended'],
  exits: [7, 130],
  async run(context, { options }) {
    const { adoptWorkerMemory } = await import('../../embedded/worker-memory.ts');
    adoptWorkerMemory(context.env);
    const loaded = await context.config();
    const { rolesOf, runWorker } = await import('../../worker.ts');
    const onReady = (): void => context.output.note(`worker of group ${loaded.config.group} polls`);
    await runWorker({ loaded, roles: rolesOf(options.roles), signal: context.signal, onReady });
    return { json: { ended: true }, text: () => '' };
  },
});
