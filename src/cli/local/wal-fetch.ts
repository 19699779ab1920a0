import { defineCommand } from '../command.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { required } from '../options.ts';

/** `wal fetch`: the end of restore_command. */
export const walFetch = defineCommand({
  name: 'wal fetch',
  summary: 'bring a WAL file out of the repository: for restore_command',
  description:
    'Ends with 1 where the journals have no such file, which a server takes for their end, and with 126 for every other trouble, which stops the server\'s recovery. Works without Temporal. In postgresql.conf: restore_command = \'lifeboat wal fetch "%f" "%p" --config /etc/lifeboat.json --quiet\'',
  arguments: { name: required('name of the file, %f'), destination: required('where it goes, %p') },
  options: {},
  examples: ['wal fetch 000000010000000000000003 pg_wal/RECOVERYXLOG'],
  answers: ['file', 'found'],
  exits: [126],
  failureExit: 126,
  async run(context, input) {
    const { config } = await context.config();
    const [{ openConfiguredReader }, { fetchWal }, { resolve }] = await Promise.all([
      import('../../assembly/open-repository.ts'),
      import('../../recovery/fetch-wal.ts'),
      import('node:path'),
    ]);
    const { name, destination } = input.arguments;
    const repository = await openConfiguredReader(config);
    const operation = { signal: context.signal, onProgress: () => undefined };
    const wanted = { name, destination: resolve(context.cwd, destination) };
    if (await fetchWal(repository, wanted, operation)) return { json: { file: name, found: true }, text: () => '' };
    const failure = new LifeboatError('JOURNAL_FILE_MISSING', `fetch ${name}: no journal has it`);
    return { json: { file: name, found: false }, text: () => '', failure, exit: 1 };
  },
});
