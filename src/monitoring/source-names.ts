/** What is looked at by itself, each at its own pace and failing alone. */
export const SOURCE_NAMES = [
  'temporal',
  'databases',
  'stores',
  'operations',
  'repository',
  'journals',
  'targets',
  'drills',
  'plans',
  'sdk',
] as const;

export type SourceName = (typeof SOURCE_NAMES)[number];
