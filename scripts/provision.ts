/**
 * Downloads the programs of the test servers into .lifeboat. What cannot be had is one line on stderr; with CI=true it
 * ends with exit code 1, elsewhere the tests that need it are skipped.
 */
import { toLifeboatError } from '../src/domain/errors.ts';
import { defaultStateDir } from '../src/embedded/places.ts';
import { createToolbox } from '../src/embedded/toolbox.ts';

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(new Error(signal)));

const toolbox = createToolbox({
  stateDir: defaultStateDir(),
  signal: abort.signal,
  onPhase: (line) => console.error(`lifeboat: ${line}`),
});
const wanted: readonly (() => Promise<unknown>)[] = [
  async () => toolbox.temporalCli(),
  async () => toolbox.pinnedPostgresBinDir(18),
  async () => toolbox.pinnedPostgresBinDir(17),
  async () => toolbox.pinnedPostgresBinDir(16),
  async () => toolbox.redis(),
  async () => toolbox.pinnedRedis(),
  async () => toolbox.pinnedS3Server(),
  async () => toolbox.pinnedKmsServer(),
];
/** What a machine may lack, also with CI=true: the tests that need it say in their titles that they were skipped. */
const optional: readonly (() => Promise<unknown>)[] = [async () => toolbox.pinnedVersitygw()];

for (const provide of [...wanted, ...optional]) {
  try {
    await provide();
  } catch (error) {
    const { message, hint } = toLifeboatError(error);
    console.error(`lifeboat: ${message} (${hint})`);
    if (process.env['CI'] === 'true' && !optional.includes(provide)) process.exitCode = 1;
  }
}
