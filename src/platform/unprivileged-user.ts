import { readFile } from 'node:fs/promises';

export interface UnixUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Accounts that servers may run under when we are root, best first. */
const CANDIDATES = ['postgres', 'nobody'];

/**
 * The account for servers that refuse to run as root (PostgreSQL). Undefined when we are not root and can run them
 * ourselves, `null` when no account of the passwd file fits: initdb needs one that has an entry there.
 */
export async function unprivilegedUser(): Promise<UnixUser | null | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  return CANDIDATES.map((name) => users.find((user) => user.name === name)).find((user) => user !== undefined) ?? null;
}

/** Parses lines of passwd(5); entries that are not numbers (NIS lines) are skipped. */
export function parsePasswd(text: string): readonly UnixUser[] {
  return text.split('\n').flatMap((line) => {
    const fields = /^([^:#+]+):[^:]*:(\d+):(\d+):/.exec(line);
    return fields === null ? [] : [{ name: fields[1] ?? '', uid: Number(fields[2]), gid: Number(fields[3]) }];
  });
}
