import type { CatalogInput, CatalogResult } from '../contract/messages.ts';
import { control } from './support/activity-options.ts';

/** Reads the list of backups, or one of them; runs beside the group's lock. */
export async function catalogWorkflow(input: CatalogInput): Promise<CatalogResult> {
  return control('decide', input.ask === 'show' ? `show ${input.backup}` : 'list backups').readCatalog(input);
}
