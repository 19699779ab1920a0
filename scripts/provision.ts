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
const wanted = [
  async () => toolbox.temporalCli(),
  async () => toolbox.pinnedPostgresBinDir(18),
  async () => toolbox.pinnedPostgresBinDir(17),
  async () => toolbox.pinnedPostgresBinDir(16),
  async () => toolbox.redis(),
  async () => toolbox.pinnedRedis(),
  async () => toolbox.pinnedS3Server(),
];

for (const provide of wanted) {
  try {
    await provide();
  } catch (error) {
    const { message, hint } = toLifeboatError(error);
    console.error(`lifeboat: ${message} (${hint})`);
    if (process.env['CI'] === 'true') process.exitCode = 1;
  }
}
