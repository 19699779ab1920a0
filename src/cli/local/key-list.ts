import { defineCommand } from '../command.ts';

/** `key list`: what the key files hold. */
export const keyList = defineCommand({
  name: 'key list',
  summary: 'list the keys of the keyring, the escrow keys and the signing key',
  description:
    'Reads the key files of this machine, and prints ids only. `key verify` says how many backups are wrapped for each.',
  arguments: {},
  options: {},
  examples: ['key list', 'key list --json'],
  answers: ['keys[] {purpose: encryption|escrow|signing, id, state, created, path}'],
  exits: [],
  async run(context) {
    const { listKeyFiles } = await import('./list-key-files.ts');
    const { config } = await context.config();
    const keys = await listKeyFiles(config);
    const rows = keys.map(({ purpose, id, state, created, path }) => [purpose, id, state, created ?? '', path]);
    return {
      json: { keys },
      text: () => context.output.table(['purpose', 'id', 'state', 'created', 'file'], rows),
    };
  },
});
