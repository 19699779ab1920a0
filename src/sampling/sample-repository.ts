import type { Dependencies } from '../activities/dependencies.ts';
import { journalFactsOf } from '../activities/journal/journal-facts.ts';
import { configuredComponents } from '../activities/sources.ts';
import type { JournalFacts } from '../contract/journal-facts.ts';
import { recoveryWindow } from '../domain/recovery-window.ts';
import { viewWindow } from '../domain/window-view.ts';
import { measureBackups } from '../monitoring/measure/backups.ts';
import { measureJournals } from '../monitoring/measure/journals.ts';
import type { Sample } from '../monitoring/sample.ts';
import { readRecoveryCatalog } from '../recovery/read-catalog.ts';
import { storedBytesOf } from '../recovery/stored-bytes.ts';

/** A repository in which nothing is: what a store without one holds. */
const EMPTY = { backups: [], journals: [], window: { from: null, to: null, gaps: [] } };

/**
 * What the repository holds. A store without one has no backups, which is a result: nothing is made by looking.
 * @returns also what was found of the journals; null where there is no repository
 */
export async function sampleRepository(
  deps: Dependencies,
  signal: AbortSignal,
): Promise<Sample & { readonly journals: readonly JournalFacts[] | null }> {
  const components = configuredComponents(deps.settings);
  if (!(await deps.hasRepository())) {
    const storedBytes = { backups: 0, journals: 0 };
    return { gauges: measureBackups({ ...EMPTY, components, storedBytes }), journals: null };
  }
  const operation = { signal, onProgress: () => undefined };
  const catalog = await readRecoveryCatalog(await deps.repository(), components, operation);
  const journals = await journalFactsOf(deps, catalog, operation);
  const window = viewWindow(recoveryWindow(catalog));
  const { backups } = catalog;
  const facts = { backups, components, journals, window, storedBytes: storedBytesOf(catalog) };
  return { gauges: [...measureBackups(facts), ...measureJournals(journals)], journals };
}
