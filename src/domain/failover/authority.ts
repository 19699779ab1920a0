/**
 * Who decides about a service now. Each change of hands raises the epoch by one; what was allowed under an earlier one is not any
 * more. Kept in a place that is neither of the regions.
 */
export interface Authority {
  /** Of one primary and its replicas: `auth-postgres`. */
  readonly service: string;
  readonly epoch: number;
  /** Where the primary is, or is brought to. */
  readonly region: string;
  /** Who took it: a run, by its id. */
  readonly holder: string;
  /** ISO 8601. */
  readonly since: string;
}

/** Is it the same hand at the same epoch? `since` tells nothing: a repeated write may have another. */
export function isSameAuthority(first: Authority, second: Authority): boolean {
  return (
    first.service === second.service &&
    first.epoch === second.epoch &&
    first.region === second.region &&
    first.holder === second.holder
  );
}

export function describeAuthority({ epoch, region, holder, since }: Authority): string {
  return `epoch ${epoch}, region ${region}, held by ${holder} since ${since}`;
}
