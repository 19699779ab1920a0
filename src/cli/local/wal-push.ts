import { defineCommand } from '../command.ts';
import { required } from '../options.ts';

/** `wal push`: the end of archive_command. */
export const walPush = defineCommand({
  name: 'wal push',
  summary: 'keep a WAL file in the repository: for archive_command',
  description:
    'Ends with 0 only when the file is durable in the store. Safe to repeat; another file under the same name is refused. Works without Temporal. In postgresql.conf: archive_command = \'lifeboat wal push "%p" --config /etc/lifeboat.json --quiet\'',
  arguments: { path: required('file of pg_wal, %p') },
  options: {},
  examples: ['wal push pg_wal/000000010000000000000003'],
  answers: ['file', 'outcome: kept|kept-before|left-out'],
  exits: [4, 7],
  async run(context, input) {
    const { config } = await context.config();
    const [{ codecOf, openConfiguredRepository }, { pushWal }, { resolve }] = await Promise.all([
      import('../../assembly/open-repository.ts'),
      import('../../recovery/push-wal.ts'),
      import('node:path'),
    ]);
    const { path } = input.arguments;
    const repository = await openConfiguredRepository(config, 'lifeboat wal push');
    const how = { codec: codecOf(config), signal: context.signal };
    const outcome = await pushWal(repository, resolve(context.cwd, path), how);
    return {
      json: { file: path, outcome },
      // A server's log has a line for each file already.
      text: () => '',
    };
  },
});
