import { defineCommand } from '../command.ts';

/** `down`: ends what `up` started. */
export const down = defineCommand({
  name: 'down',
  summary: 'stop what `up` started',
  description: 'Operations that run are not lost: they go on after the next `up`.',
  arguments: {},
  options: {},
  examples: ['down'],
  answers: ['stopped[]'],
  exits: [],
  async run(context) {
    const { config } = await context.config();
    const { stopStack } = await import('../../embedded/stack.ts');
    const { stateDirOf } = await import('../../assembly/state-dir.ts');
    const stopped = await stopStack({ stateDir: stateDirOf(config), onPhase: (line) => context.output.note(line) });
    return {
      json: { stopped },
      text: () => (stopped.length === 0 ? 'nothing was running' : `stopped ${stopped.join(', ')}`),
    };
  },
});
