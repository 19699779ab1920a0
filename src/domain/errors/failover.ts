import type { ErrorTable } from './rule.ts';

/** Errors of the `failover` folder: who may be primary, and how the roles change. */
export const FAILOVER_ERRORS = {
  FAILOVER_EPOCH_TAKEN: {
    retry: 'never',
    exit: 6,
    when: 'Somebody else has taken the authority over a service first. Exactly one of those that try at once gets it.',
    hint: 'another run decides now: follow that one. Is it dead for sure? Then take the authority anew, from its epoch',
  },
  FAILOVER_EPOCH_STALE: {
    retry: 'never',
    exit: 6,
    when: 'A run that wanted to change something no longer holds the authority over the service; nothing was changed.',
    hint: 'a later run took over: its record names region and holder. Do not repeat this one',
  },
  FAILOVER_EPOCH_DAMAGED: {
    retry: 'never',
    exit: 4,
    when: 'The record of the authority over a service cannot be read.',
    hint: 'was it changed by hand? Find out which server is primary before it is removed: the next epoch must be higher than all before',
  },
  FAILOVER_SPLIT_BRAIN: {
    retry: 'never',
    exit: 4,
    when: 'Two servers of one service take writes, or the one that does is not the one that holds the authority. No automatic step goes on.',
    hint: 'stop and fence the one that must lose, save what only it has, and count that before anything is rewound or discarded',
  },
  FAILOVER_FOREIGN_STANDBY: {
    retry: 'never',
    exit: 2,
    when: 'A server is not a copy of the other: it has another system identifier, or follows another master.',
    hint: 'are the addresses of both regions those of one service? A copy of another cluster is never promoted in its place',
  },
  FAILOVER_NOT_READY: {
    retry: 'after',
    exit: 1,
    when: 'Something stands in the way of a change of roles; each finding is named. Nothing was changed.',
    hint: 'put right what the findings name, and look again',
  },
  FAILOVER_FENCE_UNPROVEN: {
    retry: 'never',
    exit: 8,
    when: 'Nothing proves that the old primary cannot take writes any more, and nobody has approved to go on without.',
    hint: 'stop and fence its host, or approve by name, with the loss that was measured',
  },
  FAILOVER_COMMAND_FAILED: {
    retry: 'transient',
    exit: 1,
    when: 'The program on the host of a server (lifeboat-postgres-host) exited with a code other than 0, or did not end in time.',
    hint: 'what does the command say when you run it by hand, as the account of the worker?',
  },
  FAILOVER_HOST_UNREADABLE: {
    retry: 'after',
    exit: 1,
    when: 'The command that looks at a stopped server did not print what it must: pg_ctl status, pg_controldata, standby.signal.',
    hint: 'is it lifeboat-postgres-host that runs there, with the data directory of that server? See docs/guides/failover.md',
  },
  FAILOVER_NOT_STOPPED: {
    retry: 'after',
    exit: 1,
    when: 'A server still runs after it was stopped, or did not end with a checkpoint.',
    hint: 'does something start it again? If it crashed, the switch is an ungraceful one: measure the loss first',
  },
  FAILOVER_NOT_FENCED: {
    retry: 'after',
    exit: 1,
    when: 'There is no standby.signal in the data directory of the old primary after it was fenced: a start would make it writable.',
    hint: 'is the data directory that lifeboat-postgres-host was given the one of that server?',
  },
  FAILOVER_NOT_CAUGHT_UP: {
    retry: 'after',
    exit: 1,
    when: 'The standby has not replayed all that the old primary wrote before it was stopped.',
    hint: 'is its replay paused, or its disk full? The old primary can be started again: remove standby.signal first',
  },
  FAILOVER_NOT_PROMOTED: {
    retry: 'after',
    exit: 1,
    when: 'A server that was promoted does not take writes, or is not on a timeline of its own.',
    hint: 'look into its log; promote nothing else before it is certain that this one will not finish',
  },
  FAILOVER_LOSS_UNKNOWN: {
    retry: 'after',
    exit: 1,
    when: 'What only the old primary has cannot be counted: its WAL from the fork on is not whole, or is not there.',
    hint: 'is it the right data directory, and was its pg_wal kept? Do not rewind before it is counted or given up by name',
  },
  FAILOVER_REJOIN_BLOCKED: {
    retry: 'never',
    exit: 1,
    when: 'An old primary holds writes that the new one does not have. It does not follow before they are saved and given up.',
    hint: 'save and count what diverged, and approve exactly that loss',
  },
  FAILOVER_NOT_FOLLOWING: {
    retry: 'after',
    exit: 1,
    when: 'A server that was made a replica is not seen as one by its new primary.',
    hint: 'look into the logs of both: address, password, pg_hba.conf, libraries of the server',
  },
} as const satisfies ErrorTable;
