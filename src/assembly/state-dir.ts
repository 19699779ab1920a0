import type { Config } from '../config/schema/config.ts';
import { defaultStateDir } from '../embedded/places.ts';

/** Folder of the local stack: `home`, or `.lifeboat` in the project. */
export function stateDirOf(config: Pick<Config, 'home'>): string {
  return config.home ?? defaultStateDir();
}
