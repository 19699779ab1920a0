import { LifeboatError } from '../../domain/errors.ts';
import type { FailoverSite } from '../../failover/site.ts';
import type { Dependencies } from '../dependencies.ts';

/** @throws LifeboatError CONFIG_INCOMPLETE, STORE_UNKNOWN, CONFIG_INVALID */
export function configuredSite(deps: Pick<Dependencies, 'failoverSite'>): FailoverSite {
  const site = deps.failoverSite();
  if (site !== null) return site;
  throw new LifeboatError('CONFIG_INCOMPLETE', 'find the regions of a failover: none are configured', {
    hint: 'name both in `failover.regions` of config/backup.json, and a store in `failover.authority` (docs/guides/failover.md)',
  });
}

/** @throws LifeboatError CONFIG_INCOMPLETE, PLAN_INVALID */
export function requireRegion(deps: Pick<Dependencies, 'failoverSite'>, region: string): FailoverSite {
  const site = configuredSite(deps);
  if (site.regions.includes(region)) return site;
  throw new LifeboatError('PLAN_INVALID', `find region ${region}: not in \`failover.regions\``, {
    details: { region, known: site.regions },
  });
}

/** Both servers of a kind, the target last. @throws RangeError where they are not configured: a defect */
export function nodesOf<Node>(
  nodes: ReadonlyMap<string, Node>,
  { from, to }: { readonly from: string; readonly to: string },
): {
  readonly old: Node;
  readonly next: Node;
} {
  const [old, next] = [nodes.get(from), nodes.get(to)];
  if (old === undefined || next === undefined) throw new RangeError(`no server in ${from} or ${to}`);
  return { old, next };
}
