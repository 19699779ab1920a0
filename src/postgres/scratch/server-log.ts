import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';

/** The end of a server's log, lines with their SQLSTATE in front. */
export interface ServerLog {
  tail(): string;
  has(sqlstate: string): boolean;
}

const KEPT_LINES = 30;
const LONGEST_LINE = 500;
/** cannot_connect_now: what each look at a server that still starts leaves in its log. */
const NOT_YET = '57P03 ';

export function followLog(stream: Readable): ServerLog {
  const lines: string[] = [];
  const seen = new Set<string>();
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
    if (line.startsWith(NOT_YET)) return;
    seen.add(line.slice(0, 5));
    lines.push(line.slice(0, LONGEST_LINE));
    if (lines.length > KEPT_LINES) lines.shift();
  });
  return { tail: () => lines.join('\n'), has: (sqlstate) => seen.has(sqlstate) };
}
