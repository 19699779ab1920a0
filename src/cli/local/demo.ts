import { defineCommand } from '../command.ts';
import { flag } from '../options.ts';

/** `demo`: the whole story on real servers. */
export const demo = defineCommand({
  name: 'demo',
  summary: 'see it all work: real servers, a backup, a disaster, a restore, a comparison',
  description:
    'Starts a PostgreSQL, a Redis, a Temporal server and a worker of its own, fills them with generated data, and ends and removes them afterwards. Nothing else on this machine is touched.',
  arguments: {},
  options: { keep: flag('leave everything up at the end, and say how to look at it and how to end it') },
  examples: ['demo', 'demo --keep'],
  answers: [
    'identical',
    'compared {tables, rows, definitions, keys, keysWithExpiry}',
    'differences[{kind, name, what}]',
    'damage',
    'backup',
    'restore',
    'verify',
    'durationMs',
    'ui',
    'kept {folder, environmentFile, uiUrl}',
  ],
  exits: [4, 7, 130],
  async run(context, { options }) {
    const { runDemo } = await import('./demo/run-demo.ts');
    return runDemo(context, { keep: options.keep });
  },
});
