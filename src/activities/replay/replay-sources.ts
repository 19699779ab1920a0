import type { ReplaySources } from '../../recovery/replay/replay-sources.ts';
import type { Dependencies } from '../dependencies.ts';
import { configuredComponents } from '../sources.ts';

/** What a base is unpacked with where no PostgreSQL is configured: one piece at a time is right everywhere. */
const JOBS_UNCONFIGURED = 1;

/** What a worker replays from: its repository and its programs. */
export function replaySources(deps: Dependencies): ReplaySources {
  const { settings } = deps;
  return {
    repository: async () => deps.repository(),
    physical: async (major) => deps.physical(major),
    serverTools: async (major) => deps.serverTools(major),
    jobs: settings.postgres?.jobs ?? JOBS_UNCONFIGURED,
    components: configuredComponents(settings),
  };
}
