import * as fc from 'fast-check';
import { applyEvent } from '../../../src/domain/plan/apply-event.ts';
import { decide, type RunAction } from '../../../src/domain/plan/decide.ts';
import type { ResolvedPlan, ResolvedStep } from '../../../src/domain/plan/recovery-plan.ts';
import { beginRun, isPastReturn, stateOf, type RunEvent, type RunState } from '../../../src/domain/plan/run-state.ts';
import { runs } from '../../support/property-runs.ts';

/**
 * Plans and fates by chance: which step fails how often, when a person pauses, aborts, retries or skips. The interpreter is driven as the
 * workflow drives it, and everything that it decided is kept.
 */
const AT = '2026-01-02T03:04:05.678Z';

function step(id: string, more: Partial<ResolvedStep> = {}): ResolvedStep {
  return {
    id,
    name: id,
    order: 1,
    action: { type: 'wait', config: { forMs: 1 } },
    timeoutMs: null,
    retry: { maxAttempts: 1, intervalMs: 10 },
    onFailure: 'abort',
    when: null,
    ungraceful: 'same',
    compensation: null,
    pointOfNoReturn: false,
    ...more,
  };
}

function planOf(...steps: readonly ResolvedStep[]): ResolvedPlan {
  const sorted = steps.toSorted((left, right) => left.order - right.order);
  return {
    id: 'plan',
    name: 'plan',
    description: '',
    priority: 'normal',
    objectives: { rtoMs: null, rpoMs: null },
    steps: sorted,
  };
}

const UNDO = { type: 'command', config: { command: 'undo' } } as const;
const anyStep = fc.record({
  order: fc.integer({ min: 1, max: 4 }),
  onFailure: fc.constantFrom('abort' as const, 'pause' as const, 'continue' as const),
  attempts: fc.integer({ min: 1, max: 3 }),
  compensated: fc.boolean(),
  noReturn: fc.nat(9).map((number) => number === 0),
  ungraceful: fc.constantFrom('same', 'skip'),
  mode: fc.constantFrom(null, 'graceful', 'ungraceful'),
});
const anyPlan = fc.array(anyStep, { minLength: 1, maxLength: 8 }).map((steps) =>
  planOf(
    ...steps.map(({ order, onFailure, attempts, compensated, noReturn, ungraceful, mode }, index) =>
      step(`s${index}`, {
        order,
        onFailure,
        retry: { maxAttempts: attempts, intervalMs: 10 },
        compensation: compensated ? UNDO : null,
        pointOfNoReturn: noReturn,
        ungraceful: ungraceful as 'same',
        when: mode === null ? null : { mode: mode as 'graceful', step: null },
      }),
    ),
  ),
);

/** What is drawn when something has to be chosen. */
const fate = fc.array(fc.nat(99), { minLength: 200, maxLength: 200 });

interface Played {
  readonly state: RunState;
  readonly log: readonly (RunEvent | { readonly type: 'end' })[];
}

/** Lets every action happen, and now and then a person interfere, until the run ends. */
function play(plan: ResolvedPlan, draws: readonly number[]): Played {
  let state = beginRun(plan, draws[0]! < 30 ? 'ungraceful' : 'graceful');
  const log: RunEvent[] = [];
  const left = [...draws];
  const draw = (): number => left.shift() ?? 99;
  const happen = (event: RunEvent): void => {
    state = applyEvent(plan, state, event);
    log.push(event);
  };
  for (let turn = 0; turn < 1_000; turn += 1) {
    for (const action of decide(plan, state)) act(plan, () => state, { action, happen, draw });
    if (state.phase === 'ended') return { state, log };
    const running = state.steps.filter(({ status }) => status === 'running');
    const done = running[draw() % Math.max(1, running.length)];
    if (done !== undefined) {
      const failed = draw() < 35;
      happen(
        failed
          ? { type: 'failed', step: done.id, message: 'planted', at: AT }
          : { type: 'succeeded', step: done.id, at: AT },
      );
    }
    if (state.phase === 'forward') interfere(state, { happen, draw });
  }
  throw new Error('the run does not end');
}

interface Hands {
  readonly happen: (event: RunEvent) => void;
  readonly draw: () => number;
}

function act(
  plan: ResolvedPlan,
  now: () => RunState,
  { action, happen, draw }: Hands & { readonly action: RunAction },
): void {
  switch (action.kind) {
    case 'start':
      return happen({ type: 'started', step: action.step.id, at: AT });
    case 'skip':
      return happen({ type: 'skipped', step: action.step.id, message: action.reason, at: AT });
    case 'cancel':
      return happen({ type: 'failed', step: action.step.id, message: 'cancelled', at: AT });
    case 'compensate':
      happen({ type: 'compensating', step: action.step.id, at: AT });
      expect(decide(plan, now())).toEqual([]);
      return happen(
        draw() < 20
          ? { type: 'compensation-failed', step: action.step.id, message: 'planted', at: AT }
          : { type: 'compensated', step: action.step.id, at: AT },
      );
    case 'end':
      return happen({ type: 'ended', outcome: action.outcome, at: AT });
  }
}

/** A person: what waits is decided upon, what is paused is resumed, and sometimes all of it is aborted. */
function interfere(state: RunState, { happen, draw }: Hands): void {
  const chance = draw();
  const waiting = state.steps.find(({ status }) => status === 'waiting');
  if (chance < 3) return happen({ type: 'aborted', message: 'enough', at: AT });
  if (state.paused) return happen({ type: 'resumed', at: AT });
  if (chance < 10) return happen({ type: 'paused', at: AT });
  if (chance < 13) return happen({ type: 'ungraceful', at: AT });
  if (waiting === undefined) return undefined;
  if (chance < 60) return happen({ type: 'skipped', step: waiting.id, message: 'by a person', at: AT });
  return happen({ type: 'retried', step: waiting.id, at: AT });
}

const property = (check: (plan: ResolvedPlan, played: Played) => void): void =>
  fc.assert(
    fc.property(anyPlan, fate, (plan, draws) => check(plan, play(plan, draws))),
    { numRuns: runs(2_000) },
  );

test('every run ends, and says how', () => {
  property((_, { state }) => {
    expect(state.outcome).not.toBeNull();
    expect(state.steps.filter(({ status }) => status === 'running' || status === 'waiting')).toEqual([]);
    expect(state.steps.filter(({ compensation }) => compensation === 'pending' || compensation === 'running')).toEqual(
      [],
    );
  });
});

test('no step begins before all of lower order have ended', () => {
  property((plan, { log }) => {
    let state = beginRun(plan, 'graceful');
    for (const event of log) {
      if (event.type === 'started') {
        const { order } = plan.steps.find(({ id }) => id === event.step)!;
        const lower = plan.steps.filter((other) => other.order < order).map(({ id }) => stateOf(state, id).status);
        expect(lower.filter((status) => !['succeeded', 'failed', 'skipped'].includes(status))).toEqual([]);
      }
      if (event.type === 'end') continue;
      state = applyEvent(plan, state, event);
    }
  });
});

test('no step runs twice at once, again after it succeeded, or more often than its retries and a person allow', () => {
  property((plan, { log }) => {
    for (const { id, retry } of plan.steps) {
      const own = log.filter((event) => 'step' in event && event.step === id).map(({ type }) => type);
      const forward = own.filter((type) => ['started', 'succeeded', 'failed'].includes(type));
      forward.forEach((type, index) => {
        if (type === 'started') expect(forward[index - 1] ?? 'failed').toBe('failed');
        else expect(forward[index - 1]).toBe('started');
      });
      const byHand = own.filter((type) => type === 'retried').length;
      expect(own.filter((type) => type === 'started').length).toBeLessThanOrEqual(retry.maxAttempts * (byHand + 1));
    }
  });
});

test('what was begun is taken back newest first, once, and not from the point of no return on', () => {
  property((plan, { state, log }) => {
    const begun = [...new Set(log.flatMap((event) => (event.type === 'started' ? [event.step] : [])))];
    const back = log.flatMap((event) => (event.type === 'compensating' ? [event.step] : []));
    const withCompensation = (id: string): boolean => plan.steps.find((one) => one.id === id)!.compensation !== null;
    const isBackward = state.outcome === 'failed' || state.outcome === 'aborted';
    const expected = isBackward && !isPastReturn(plan, state) ? begun.filter(withCompensation).toReversed() : [];
    expect(back).toEqual(expected);
  });
});

test('nothing begins while it is paused, and nothing after it went backward', () => {
  expect.hasAssertions();
  property((_, { log }) => {
    let held = false;
    let backward = false;
    for (const { type } of log) {
      if (type === 'paused') held = true;
      if (type === 'resumed') held = false;
      if (type === 'aborted' || type === 'compensating') backward = true;
      if (type === 'started') expect({ held, backward }).toEqual({ held: false, backward: false });
    }
  });
});

test('an outcome is partial exactly when it went to the end and a step failed', () => {
  expect.hasAssertions();
  property((_, { state }) => {
    const failed = state.steps.some(({ status }) => status === 'failed');
    if (state.outcome === 'succeeded') expect(failed).toBe(false);
    if (state.outcome === 'partial') expect(failed).toBe(true);
  });
});

describe('single rules', () => {
  const started = (plan: ResolvedPlan, ...ids: readonly string[]): RunState =>
    ids.reduce(
      (state, id) => applyEvent(plan, state, { type: 'started', step: id, at: AT }),
      beginRun(plan, 'graceful'),
    );

  test('steps of equal order begin at once', () => {
    const plan = planOf(step('a'), step('b'), step('c', { order: 2 }));
    expect(decide(plan, beginRun(plan, 'graceful')).map((action) => ('step' in action ? action.step.id : ''))).toEqual([
      'a',
      'b',
    ]);
  });

  test('a failure beyond the point of no return waits for a person', () => {
    const plan = planOf(step('promote', { pointOfNoReturn: true, compensation: UNDO }), step('after', { order: 2 }));
    let state = applyEvent(plan, started(plan, 'promote'), { type: 'succeeded', step: 'promote', at: AT });
    state = applyEvent(plan, state, { type: 'started', step: 'after', at: AT });
    state = applyEvent(plan, state, { type: 'failed', step: 'after', message: 'no', at: AT });
    expect(stateOf(state, 'after').status).toBe('waiting');
    expect(decide(plan, state)).toEqual([]);
    state = applyEvent(plan, state, { type: 'aborted', message: 'leave it', at: AT });
    expect(decide(plan, state)).toEqual([{ kind: 'end', outcome: 'aborted' }]);
  });

  test('a condition on an earlier step decides', () => {
    const when = { mode: null, step: { id: 'a', is: 'failed' } } as const;
    const plan = planOf(step('a', { onFailure: 'continue' }), step('b', { order: 2, when }));
    const after = (type: 'succeeded' | 'failed'): readonly RunAction[] =>
      decide(plan, applyEvent(plan, started(plan, 'a'), { type, step: 'a', message: 'no', at: AT }));
    expect(after('failed')).toMatchObject([{ kind: 'start', step: { id: 'b' } }]);
    expect(after('succeeded')).toMatchObject([{ kind: 'skip', reason: 'only when a has failed: it has succeeded' }]);
  });

  test('a retry waits for its interval', () => {
    const plan = planOf(step('a', { retry: { maxAttempts: 2, intervalMs: 500 } }));
    const state = applyEvent(plan, started(plan, 'a'), { type: 'failed', step: 'a', message: 'no', at: AT });
    expect(decide(plan, state)).toMatchObject([{ kind: 'start', delayMs: 500 }]);
  });
});
