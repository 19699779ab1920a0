import type { Config } from '../config/schema/config.ts';
import { type ConfiguredTarget, configuredTargets, replicationDelayMs } from '../config/targets.ts';
import type { Repository } from '../repository/repository.ts';
import { readRepositoryFile } from '../repository/repository-file.ts';
import { openStore } from '../storage/open-store.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { CleanupRules } from '../recovery/cleanup/plan-cleanup.ts';
import { targetCleanupRules } from './cleanup-rules.ts';
import { openRepositoryIn } from './open-repository.ts';
import { credentialsOf, openNamedStore } from './open-stores.ts';

/** A target of the configuration. Its store is opened once, its repository whenever it is asked for: it may come and go. */
export interface OpenTarget extends Pick<ConfiguredTarget, 'name' | 'region'> {
  readonly delayMs: number;
  readonly cleanup: CleanupRules;
  store(): ObjectStore;
  /** @throws LifeboatError REPOSITORY_MISSING where nothing was copied yet, REPOSITORY_GROUP_MISMATCH, STORE_* */
  repository(through?: (store: ObjectStore) => ObjectStore): Promise<Repository>;
}

/** Every target of a configuration; none is connected to. @throws LifeboatError CONFIG_* */
export function openTargets(config: Config, tool: string): readonly OpenTarget[] {
  const delayMs = replicationDelayMs(config);
  return configuredTargets(config).map((target) => {
    let opened: ObjectStore | undefined;
    const store = (): ObjectStore => (opened ??= openTargetStore(config, target));
    return {
      name: target.name,
      region: target.region,
      delayMs,
      cleanup: targetCleanupRules(config, target),
      store,
      async repository(through = (own) => own) {
        await readRepositoryFile(store(), config.group);
        return openRepositoryIn(through(store()), config, tool);
      },
    };
  });
}

function openTargetStore(config: Config, { place }: ConfiguredTarget): ObjectStore {
  if ('store' in place) return openNamedStore(config, place.store);
  const credentials = credentialsOf('storage.remoteStorage', config.storage.remoteStorage);
  return openStore(place.url, '.', { credentials });
}
