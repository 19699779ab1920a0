/** Beyond this share of the longer name's letters a suggestion would only puzzle. */
const MAX_DISTANCE_SHARE = 0.4;

/** The candidate that is most like `name`, or undefined when none is near. Case, `_` and `-` do not count. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(normalise(name), normalise(candidate));
    const bound = Math.max(1, Math.floor(Math.max(name.length, candidate.length) * MAX_DISTANCE_SHARE));
    if (distance <= bound && (best === undefined || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

function normalise(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Levenshtein distance: insertions, removals and replacements of single characters. */
export function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
