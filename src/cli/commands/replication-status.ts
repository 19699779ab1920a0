import type { TargetStatus } from '../../client/cross-region-manager.ts';
import { isFailing } from '../../domain/target-facts.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';
import type { Colors } from '../output.ts';
import { formatBytes } from '../units.ts';
import { withTargets } from './with-targets.ts';

const COLORS: Record<TargetStatus['state'], 'green' | 'yellow' | 'red'> = {
  'in-sync': 'green',
  copying: 'yellow',
  behind: 'yellow',
  unused: 'yellow',
  foreign: 'red',
  unreachable: 'red',
  unknown: 'red',
};

/** `replication status`: what each target has of the backups. */
export const replicationStatus = defineCommand({
  name: 'replication status',
  summary: 'what each target has of the backups, and how far it is behind',
  description:
    'Asks the targets themselves, all at once. A target that does not answer, or that holds another repository, is a failure, and so is a repository that cannot be read, for then nobody knows what the targets lack; one that waits for its copies is not.',
  arguments: {},
  options: {},
  examples: ['replication status', 'replication status --json | jq ".targets[] | {name, state, pending, lagSeconds}"'],
  answers: [
    'targets[] {name, region, location, state: in-sync|copying|behind|unused|foreign|unreachable|unknown, backups, pending, pendingBackups[], lagSeconds, journals {lagSeconds, bytesBehind, window {from, to}}, lastError, runs[]}',
  ],
  exits: [3, 7],
  run: (context) =>
    withTargets(context, async (manager) => {
      const targets = await manager.getTargetsStatus();
      const failed = targets.filter(({ state }) => isFailing(state));
      return {
        json: { targets },
        text: () =>
          targets.length === 0
            ? 'no target is configured: docs/guides/copies.md says how'
            : targets.map((target) => describeTarget(target, context.output.colors)).join('\n'),
        ...(failed.length === 0 ? {} : { failure: failureOf(failed) }),
      };
    }),
});

function failureOf(failed: readonly TargetStatus[]): LifeboatError {
  const facts = failed.map(({ name, state, lastError }) => `${name} is ${state}${lastError ? `: ${lastError}` : ''}`);
  return new LifeboatError('TARGET_FAILED', facts.join('; '), { details: { targets: failed.map(({ name }) => name) } });
}

function describeTarget(target: TargetStatus, colors: Colors): string {
  const { name, location, state, backups, pending, lagSeconds, lastError } = target;
  const counts = [
    backups === null ? null : `${backups} backups`,
    pending === null || pending === 0 ? null : `${pending} to come, the oldest for ${lagSeconds ?? 0} s`,
  ].filter((part) => part !== null);
  return [
    `${name.padEnd(12)}  ${colors[COLORS[state]](state)}  ${[location, ...counts].join(', ')}`,
    ...describeJournals(target),
    ...(lastError === null ? [] : [`  ${lastError}`]),
  ].join('\n');
}

/** `  journals  12 s behind, 3.1 MiB to come; restores to any instant from … to …`. */
function describeJournals({ journals = null }: TargetStatus): string[] {
  if (journals === null || journals.lagSeconds === null) return [];
  const { lagSeconds, bytesBehind, window } = journals;
  const { from, to } = window;
  const instants = from === null || to === null ? 'no instants yet' : `any instant from ${from} to ${to}`;
  return [`  journals  ${lagSeconds} s behind, ${formatBytes(bytesBehind)} to come; ${instants}`];
}
