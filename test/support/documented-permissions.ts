/** What docs/reference/permissions.md says is enough: the blocks below its headings. */
import { readFile } from 'node:fs/promises';

const DOCUMENT = new URL('../../docs/reference/permissions.md', import.meta.url);

/** The text of the code block under a heading. */
export async function documented(heading: string): Promise<string> {
  const sections = (await readFile(DOCUMENT, 'utf8')).split(/^## /m);
  const section = sections.find((text) => text.startsWith(`${heading}\n`));
  const block = /^```\w+\n([\s\S]*?)\n```$/m.exec(section ?? '')?.[1];
  if (block === undefined) throw new Error(`docs/reference/permissions.md: no block under "${heading}"`);
  return block;
}

/** The rules of an `ACL SETUSER` line for a user without a name and a password. */
export async function documentedRules(heading: string): Promise<readonly string[]> {
  const [line = '', ...more] = (await documented(heading)).split('\n');
  const rules = /^ACL SETUSER \w+ on >… (.+)$/.exec(line)?.[1];
  if (rules === undefined || more.length > 0) throw new Error(`permissions.md: ${heading}: not one ACL SETUSER line`);
  return rules.split(' ');
}
