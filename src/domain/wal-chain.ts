import type { JournalEntry, JournalEpoch } from './journal.ts';

export interface ChainPart {
  readonly epoch: JournalEpoch;
  readonly entry: JournalEntry;
}

/** Epochs that continue each other without a hole, oldest first, and what they hold, in the order it was written. */
export interface JournalChain {
  readonly epochs: readonly JournalEpoch[];
  readonly parts: readonly ChainPart[];
}

/** Every chain of a history that nothing continues, newest first. */
export function journalChains(epochs: readonly JournalEpoch[], history: string): JournalChain[] {
  const own = epochs.filter(({ begin }) => begin.history === history);
  const continued = new Set(own.map(({ begin }) => begin.continues?.epoch));
  const lasts = own.filter(({ begin }) => !continued.has(begin.epoch));
  return lasts
    .toSorted((a, b) => b.begin.epoch - a.begin.epoch)
    .map((last) => {
      const chain = [last];
      for (let first: JournalEpoch | undefined = last; first !== undefined;) {
        // An epoch continues an older one: this ends, whatever a repository says.
        const before: JournalEpoch | undefined = own.find(
          ({ begin }) => begin.epoch === first?.begin.continues?.epoch && begin.epoch < first.begin.epoch,
        );
        if (before !== undefined) chain.unshift(before);
        first = before;
      }
      return { epochs: chain, parts: chain.flatMap((epoch) => epoch.entries.map((entry) => ({ epoch, entry }))) };
    });
}
