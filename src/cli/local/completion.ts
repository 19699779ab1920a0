import { defineCommand } from '../command.ts';
import { completionScript, SHELLS } from '../completion-script.ts';
import { required } from '../options.ts';
import { LifeboatError } from '../../domain/errors.ts';

/** `completion SHELL`: prints a script that completes commands, options and choices. */
export const completion = defineCommand({
  name: 'completion',
  summary: 'print a completion script for bash, zsh or fish',
  arguments: { shell: required(`one of ${SHELLS.join(', ')}`, new RegExp(`^(${SHELLS.join('|')})$`)) },
  options: {},
  examples: [
    'completion bash > /etc/bash_completion.d/lifeboat',
    'completion zsh > ~/.zfunc/_lifeboat',
    'completion fish | source',
  ],
  answers: ['shell', 'script'],
  exits: [],
  async run({ commands }, { arguments: { shell } }) {
    const known = SHELLS.find((each) => each === shell);
    if (known === undefined) {
      throw new LifeboatError('USAGE_INVALID', `complete for ${JSON.stringify(shell)}: none of ${SHELLS.join(', ')}`);
    }
    const script = completionScript(known, commands);
    return { json: { shell, script }, text: () => script };
  },
});
