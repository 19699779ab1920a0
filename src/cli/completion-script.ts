import type { Command } from './command.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import { flagName, type Options } from './options.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** One line per place in the tree of commands: the words before, and what can follow them. */
interface Place {
  readonly words: string;
  readonly next: readonly { readonly word: string; readonly description: string }[];
}

/** A completion script for the commands as they are now. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const places = listPlaces(commands);
  const write = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  return write(places);
}

function listPlaces(commands: readonly Command[]): readonly Place[] {
  const places = new Map<string, Map<string, string>>();
  const add = (words: string, word: string, description: string): void => {
    const known = places.get(words) ?? new Map<string, string>();
    if (!known.has(word) || word === description) known.set(word, description);
    places.set(words, known);
  };
  for (const command of commands) {
    const words = command.name.split(' ');
    words.forEach((word, index) => {
      add(words.slice(0, index).join(' '), word, index === words.length - 1 ? command.summary : `${word} …`);
    });
    for (const [option, description] of optionWords({ ...command.options, ...GLOBAL_OPTIONS }))
      add(command.name, option, description);
  }
  return [...places].map(([words, next]) => ({
    words,
    next: [...next].map(([word, description]) => ({ word, description })),
  }));
}

function optionWords(options: Options): readonly (readonly [string, string])[] {
  return Object.entries(options).flatMap(([key, spec]) => {
    const plain = [flagName(key), spec.description] as const;
    return spec.choices
      ? spec.choices.map((choice) => [`${flagName(key)}=${choice}`, spec.description] as const)
      : [plain];
  });
}

/** The words typed so far, without options, joined by spaces, choose the place. */
function bashScript(places: readonly Place[]): string {
  const cases = places.map(
    ({ words, next }) => `    ${single(words)}) next=${single(next.map(({ word }) => word).join(' '))} ;;`,
  );
  return `# bash completion for lifeboat
_lifeboat() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" words='' next='' word
  # readline splits words at = and :, so an option's value arrives in pieces
  if [[ \${COMP_WORDS[COMP_CWORD-1]} == = ]]; then cur="\${COMP_WORDS[COMP_CWORD-2]}=$cur"
  elif [[ $cur == = ]]; then cur="\${COMP_WORDS[COMP_CWORD-1]}="; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* || $word == = ]] && continue
    _lifeboat_next "\${words:+$words }$word" && words="\${words:+$words }$word"
  done
  _lifeboat_next "$words"
  COMPREPLY=($(compgen -W "$next" -- "$cur"))
  if [[ $cur == *=* ]]; then COMPREPLY=("\${COMPREPLY[@]#*=}"); fi
}
_lifeboat_next() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
complete -o default -F _lifeboat lifeboat`;
}

function zshScript(places: readonly Place[]): string {
  const cases = places.map(({ words, next }) => {
    const items = next
      .map(({ word, description }) => single(`${word.replaceAll(':', String.raw`\:`)}:${description}`))
      .join(' ');
    return `    ${single(words)}) next=(${items}) ;;`;
  });
  return `#compdef lifeboat
_lifeboat() {
  local joined='' word
  local -a next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] && continue
    _lifeboat_next "\${joined:+$joined }$word" && joined="\${joined:+$joined }$word"
  done
  _lifeboat_next "$joined"
  _describe 'lifeboat' next
  _files
}
_lifeboat_next() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
if [[ $funcstack[1] == _lifeboat ]]; then _lifeboat "$@"; else compdef _lifeboat lifeboat; fi`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, next }) =>
    next.map(({ word, description }) => {
      const what = word.startsWith('--') && !word.includes('=') ? `-l ${word.slice(2)}` : `-a ${single(word)}`;
      return `complete -c lifeboat -n ${single(`__lifeboat_at ${single(words)}`)} ${what} -d ${single(description)}`;
    }),
  );
  const known = places.filter(({ words }) => words !== '').map(({ words }) => single(words));
  return `# fish completion for lifeboat
function __lifeboat_at
  set -l joined ''
  set -l known ${known.join(' ')}
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    set -l longer (string trim -- "$joined $word")
    contains -- $longer $known; and set joined $longer
  end
  test "$joined" = "$argv[1]"
end
${lines.join('\n')}`;
}

/** Quoted for a shell. */
function single(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
