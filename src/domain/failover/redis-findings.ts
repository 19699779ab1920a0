import type { Finding, PairLimits } from './finding.ts';
import type { RedisView } from './redis-view.ts';

interface Question {
  readonly master?: RedisView;
  readonly replica: RedisView;
  readonly limits: PairLimits;
}

/** What stands in the way of a change of roles, or makes it worse. Without a master: of a promotion after its loss. */
export function redisFindings(question: Question): readonly Finding[] {
  const { master, replica } = question;
  const common = [lag(question), loading(replica), cannotSave(question), keepsNothing(replica)];
  const all = [...common, ...(master === undefined ? [] : ofBoth(master, question))];
  return all.filter((finding) => finding !== undefined);
}

function lag({ master, replica, limits }: Question): Finding | undefined {
  if (master === undefined) {
    const message = `how far ${replica.node} is behind is unknown: the master was never seen`;
    return { name: 'lag-unknown', weight: 'approval', message };
  }
  const bytes = Math.max(0, master.offset - replica.offset);
  if (bytes <= limits.maxLagBytes) return undefined;
  const message = `${replica.node} is ${bytes} bytes behind, ${limits.maxLagBytes} are allowed`;
  return { name: 'standby-behind', weight: 'stops', message };
}

function loading({ node, loading: isLoading }: RedisView): Finding | undefined {
  const message = `${node} still loads its data: it would be promoted with a part of it`;
  return isLoading ? { name: 'loading', weight: 'stops', message } : undefined;
}

/** Redis tells nobody how full its disk is: that it could not write there is what is known. */
function cannotSave({ master, replica: { node, cannotSave: fails } }: Question): Finding | undefined {
  if (!fails) return undefined;
  const message = `${node} could not write to its disk when it last tried: as a master it would refuse writes`;
  return { name: 'cannot-save', weight: master === undefined ? 'approval' : 'stops', message };
}

function keepsNothing({ node, keepsNothing: forgets }: RedisView): Finding | undefined {
  const message = `${node} keeps nothing on disk: restarted as a master it is empty, and so are its replicas`;
  return forgets ? { name: 'keeps-nothing', weight: 'notice', message } : undefined;
}

function ofBoth(master: RedisView, { replica, limits }: Question): readonly (Finding | undefined)[] {
  return [streaming(master, replica, limits), busy(master), more(master)];
}

function streaming(master: RedisView, replica: RedisView, limits: PairLimits): Finding | undefined {
  const silent = replica.link?.silentSeconds ?? Number.POSITIVE_INFINITY;
  const linked = replica.link?.up === true && silent <= limits.maxSilentSeconds && replica.replid === master.replid;
  if (linked && master.replicas.some(({ state }) => state === 'online')) return undefined;
  return { name: 'not-streaming', weight: 'stops', message: `${replica.node} does not follow ${master.node} now` };
}

function busy({ node, failoverState }: RedisView): Finding | undefined {
  if (failoverState === 'no-failover') return undefined;
  return { name: 'failover-running', weight: 'stops', message: `${node} hands over already: ${failoverState}` };
}

function more({ node, replicas }: RedisView): Finding | undefined {
  if (replicas.length <= 1) return undefined;
  const message = `${node} has ${replicas.length} replicas: the others do not follow the new master by themselves`;
  return { name: 'more-replicas', weight: 'notice', message };
}
