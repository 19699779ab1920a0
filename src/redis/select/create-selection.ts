import { loadKeys } from './load-keys.ts';
import { revertKeys } from './revert-keys.ts';
import type { RedisSelection } from './selected-keys.ts';
import { countMatching, surveyKeys } from './survey-keys.ts';

/** It holds no connection and no state between calls. */
export function createRedisSelection(): RedisSelection {
  return { countMatching, survey: surveyKeys, load: loadKeys, revert: revertKeys };
}
