import { DETACHED } from './settings.ts';

/** Where a server looks for its files: the source's are not the copy's, and on its own host they are its live ones. */
const PLACES = /^\s*(?:data_directory|hba_file|ident_file|external_pid_file)\s*(?:=|\s)/;

/** Comments out, in a postgresql.conf, what would lead a copy to files of its source. */
export function withoutPlaces(text: string): string {
  return text
    .split('\n')
    .map((line) => (PLACES.test(line) ? `# of the source: ${line}` : line))
    .join('\n');
}

/** Settings of a recovery that is over. */
const RECOVERY = /^(?:restore_command|recovery_|promote_trigger_file)/;

/**
 * What ALTER SYSTEM had set on the source, without what is not of the copy: its archive, its primary (whose password may stand
 * there) and its standbys.
 */
export function keptSettings(text: string): string {
  return text
    .split('\n')
    .filter((line) => {
      const name = /^\s*([A-Za-z_][\w.]*)/.exec(line)?.[1]?.toLowerCase() ?? '';
      return !(name in DETACHED) && !RECOVERY.test(name);
    })
    .join('\n');
}
