import { defineCommand } from '../command.ts';
import { flag, required } from '../options.ts';

/** `key retire ID`: a key that opens nothing any more. */
export const keyRetire = defineCommand({
  name: 'key retire',
  summary: 'take a key out of use, if no backup needs it',
  description:
    'First opens everything in the repository without the key, and refuses where something stays closed, naming it. A key of the file stays in it as `retired`, so that --undo takes it back; copies of the repository elsewhere are not looked at: they need it until they are copied again. A key of a KMS is not touched: where nothing needs it, take it out of encryption.kms.',
  arguments: { id: required('id of the key, from `key list`') },
  options: { undo: flag('let a retired key open again') },
  examples: ['key retire key-0ad0aaa78c17ae60', 'key retire key-0ad0aaa78c17ae60 --undo'],
  answers: ['keys[] {purpose, id, state, created, path}', 'opened: data keys that open without it'],
  exits: [4, 5, 7],
  async run(context, input) {
    const { id } = input.arguments;
    const { config } = await context.config();
    const [{ retireKey, reviveKey }, { listKeyFiles }] = await Promise.all([
      import('./retire-key.ts'),
      import('./list-key-files.ts'),
    ]);
    const { opened } = input.options.undo ? await reviveKey(config, id) : await retireKey(context, { config, id });
    const keys = await listKeyFiles(config);
    return {
      json: { keys, opened },
      text: () => (input.options.undo ? `${id} opens again` : describeRetired(id, opened)),
    };
  },
});

function describeRetired(id: string, opened: number | null): string {
  return id.startsWith('arn:')
    ? `all ${opened} data keys open without ${id}: take it out of encryption.kms`
    : `${id} is retired: all ${opened} data keys open without it`;
}
