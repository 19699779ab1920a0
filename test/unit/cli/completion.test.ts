import { completionScript, SHELLS } from '../../../src/cli/completion-script.ts';
import { MANUAL_COMMANDS } from '../../support/manual-commands.ts';

test.each(SHELLS)('the %s script names every command and option', (shell) => {
  const script = completionScript(shell, MANUAL_COMMANDS);
  for (const word of ['full', 'list', 'undo', 'drop-existing', 'target-database', 'graceful'])
    expect(script).toContain(word);
});
