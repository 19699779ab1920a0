import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';

/** What a line of a password file is compared with. */
export interface PasswordPlace {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

const OTHERS_MAY = 0o077;

/** Password of the first matching line of a libpq password file (`host:port:database:user:password`, `*` matches all). */
export function passwordFromLines(text: string, place: PasswordPlace): string | undefined {
  const host = place.host.startsWith('/') ? 'localhost' : place.host;
  const wanted = [host, String(place.port), place.database, place.user];
  const fields = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) =>
      [...line.replace(/\r$/, '').matchAll(/(?:^|:)((?:\\.|[^\\:])*)/g)].map((match) =>
        (match[1] ?? '').replace(/\\(.)/g, '$1'),
      ),
    );
  return fields.find(
    (each) => each.length >= 5 && wanted.every((value, index) => each[index] === '*' || each[index] === value),
  )?.[4];
}

/**
 * Password for a place, from the named file or from `~/.pgpass`; undefined where there is none.
 * @throws LifeboatError CONFIG_INVALID for a named file that is missing or that others can read
 */
export function passwordFromFile(named: string | undefined, place: PasswordPlace): string | undefined {
  const file = named ?? join(homedir(), '.pgpass');
  if (!existsSync(file)) {
    if (named === undefined) return undefined;
    throw new LifeboatError('CONFIG_INVALID', `read password file ${file}: no such file`, { details: { file } });
  }
  // As libpq: a password file that others can read is not used.
  const isPrivate = (statSync(file).mode & OTHERS_MAY) === 0;
  if (isPrivate) return passwordFromLines(readFileSync(file, 'utf8'), place);
  if (named === undefined) return undefined;
  throw new LifeboatError('CONFIG_INVALID', `read password file ${file}: others can read it`, {
    details: { file },
    hint: `chmod 600 ${file}`,
  });
}
