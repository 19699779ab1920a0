const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const BACKSLASH = 92;
const CARET = 94;
const DASH = 45;

/**
 * Does a key match a pattern in the notation of KEYS and SCAN (`h?llo`, `h*`, `h[ae]llo`, `h[^e]llo`, `h[a-b]llo`, `\*`)?
 * By bytes, as Redis does (stringmatchlen of its util.c), so that what is chosen here is what an operator sees there.
 * Only ranges that end beyond ASCII may differ: Redis itself reads them differently from processor to processor.
 */
export function matchesGlob(pattern: Buffer, key: Buffer): boolean {
  let [p, k] = [0, 0];
  /** Where to go on when what follows the last star does not fit: one byte of the key further. */
  let retry: { readonly p: number; k: number } | undefined;
  for (;;) {
    if (pattern[p] === STAR) {
      retry = { p: p + 1, k };
      p += 1;
      continue;
    }
    if (p >= pattern.length && k >= key.length) return true;
    const end = k < key.length && p < pattern.length ? matchOne(pattern, p, key[k]!) : undefined;
    if (end !== undefined) {
      p = end;
      k += 1;
    } else if (retry !== undefined && retry.k < key.length) {
      retry.k += 1;
      p = retry.p;
      k = retry.k;
    } else {
      return false;
    }
  }
}

/** Does a key match any of the patterns? */
export function matcherOf(patterns: readonly string[]): (key: Buffer) => boolean {
  const globs = patterns.map((pattern) => Buffer.from(pattern, 'utf8'));
  return (key) => globs.some((glob) => matchesGlob(glob, key));
}

/** Where the pattern goes on behind the one byte it describes at `p`; undefined when that is another byte. */
function matchOne(pattern: Buffer, p: number, byte: number): number | undefined {
  switch (pattern[p]) {
    case QUESTION:
      return p + 1;
    case OPEN:
      return matchClass(pattern, p + 1, byte);
    case BACKSLASH: {
      const at = p + 1 < pattern.length ? p + 1 : p;
      return pattern[at] === byte ? at + 1 : undefined;
    }
    case undefined:
      return undefined;
    default:
      return pattern[p] === byte ? p + 1 : undefined;
  }
}

function matchClass(pattern: Buffer, start: number, byte: number): number | undefined {
  const negated = pattern[start] === CARET;
  let p = negated ? start + 1 : start;
  let found = false;
  // A class without an end goes to the end of the pattern.
  while (p < pattern.length && pattern[p] !== CLOSE) {
    if (pattern[p] === BACKSLASH && p + 1 < pattern.length) {
      found ||= pattern[p + 1] === byte;
      p += 2;
    } else if (pattern[p + 1] === DASH && p + 2 < pattern.length) {
      const [from, to] = [pattern[p]!, pattern[p + 2]!];
      found ||= byte >= Math.min(from, to) && byte <= Math.max(from, to);
      p += 3;
    } else {
      found ||= pattern[p] === byte;
      p += 1;
    }
  }
  return found === negated ? undefined : p + 1;
}
