import type { CatalogInput, CatalogResult } from '../contract/messages.ts';
import { control } from './support/activity-options.ts';

/** Reads the list of backups, one of them, or how the journals are; runs beside the group's lock. */
export async function catalogWorkflow(input: CatalogInput): Promise<CatalogResult> {
  return control('decide', summaryOf(input)).readCatalog(input);
}

function summaryOf(input: CatalogInput): string {
  if (input.ask === 'show') return `show ${input.backup}`;
  const summaries = {
    list: 'list backups',
    journals: 'look at the journals',
    targets: 'look at the targets',
    drills: 'look at drills',
  };
  return summaries[input.ask];
}
