import type { Span } from './time-spans.ts';

/** A backup that can be replayed on, and how far: to every instant of the span. */
export interface Replayable extends Span {
  readonly backupId: string;
  /** Where its base is an incremental one: all whose bases it needs, oldest first, itself the last. */
  readonly chain?: readonly string[];
  readonly from: { readonly timeline: number; readonly at: string };
  readonly to: { readonly timeline: number; readonly at: string };
  /** Why it goes no further, where the journal goes on behind a hole or on another timeline; null where it simply ends. */
  readonly end: { readonly code: string; readonly message: string } | null;
}

export interface ComponentWindow {
  /** Oldest first; one for each base, overlapping. */
  readonly replayable: readonly Replayable[];
  /** The same as spans that do not touch. */
  readonly spans: readonly Span[];
}
