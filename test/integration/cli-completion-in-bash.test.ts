/**
 * Goal: a bash that has read our completion offers commands, options and values.
 * Method: a real bash runs the script with the words of a half typed line.
 */
import { execFileSync } from 'node:child_process';
import { completionScript } from '../../src/cli/completion-script.ts';
import { MANUAL_COMMANDS } from '../support/manual-commands.ts';

/** What a real bash offers for a line; readline's word breaks are part of it. */
function complete(words: readonly string[]): readonly string[] {
  const program = `${completionScript('bash', MANUAL_COMMANDS)}
COMP_WORDS=(lifeboat "$@"); COMP_CWORD=$#; _lifeboat; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', program, 'bash', ...words], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

test.each([
  [['ba'], ['backup']],
  [
    ['backup', ''],
    ['full', 'list'],
  ],
  [['restore', '--drop'], ['--drop-existing']],
  [['restore', 'latest', '--targ'], ['--target-database']],
  [['--json', 'backup', 'l'], ['list']],
  [['backup', 'list', '--kind', '=', 'f'], ['full']],
  [
    ['backup', 'list', '--kind', '='],
    ['full', 'incremental'],
  ],
  [['restore', 'un'], ['undo']],
  [['nonsense', '--out'], ['']],
])('bash completes %j', (words, expected) => {
  expect(complete(words)).toEqual(expected);
});
