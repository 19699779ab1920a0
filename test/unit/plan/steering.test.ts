import { applyEvent } from '../../../src/domain/plan/apply-event.ts';
import { resolvePlan } from '../../../src/config/plans/resolve-plan.ts';
import { beginRun, type RunEvent, type RunState } from '../../../src/domain/plan/run-state.ts';
import { checkSteering, type Steering, type SteeredRun } from '../../../src/domain/plan/steering.ts';
import { caught } from '../../support/caught.ts';

const AT = '2026-01-02T03:04:05.678Z';
const step = (id: string, type: string, order: number, config: object): object => ({
  id,
  name: id,
  type,
  order,
  config,
});
const { plan, digest } = resolvePlan('p', {
  id: 'p',
  name: 'P',
  steps: [step('confirm', 'approval', 1, { message: 'go on' }), step('act', 'command', 2, { command: 'act' })],
});
type Happening = RunEvent extends infer Event ? (Event extends unknown ? Omit<Event, 'at'> : never) : never;
const after = (...events: readonly Happening[]): RunState =>
  events.reduce((state, event) => applyEvent(plan, state, { ...event, at: AT }), beginRun(plan, 'graceful'));
const asked = after({ type: 'started', step: 'confirm' });
const run = (state: RunState, approved: readonly string[] = []): SteeredRun => ({
  plan,
  state,
  digest,
  startedBy: 'starter@here',
  approved,
});
const approval = (more: Partial<Steering> = {}): Steering => ({
  action: 'approve',
  step: 'confirm',
  by: 'other@there',
  reason: 'agreed',
  digest,
  ...more,
});

test('another person approves the plan that runs, by the first characters of its digest', () => {
  expect(checkSteering(run(asked), approval())).toBe('confirm');
  expect(checkSteering(run(asked), approval({ step: null, digest: digest.slice(0, 12) }))).toBe('confirm');
});

test.each([
  ['from whoever started the run', asked, approval({ by: 'starter@here' }), 'PLAN_APPROVAL_REFUSED'],
  ['of another plan', asked, approval({ digest: 'f'.repeat(64) }), 'PLAN_APPROVAL_REFUSED'],
  ['of no plan', asked, approval({ digest: null }), 'PLAN_APPROVAL_REFUSED'],
  ['by too few characters', asked, approval({ digest: digest.slice(0, 7) }), 'PLAN_APPROVAL_REFUSED'],
  ['without a reason', asked, approval({ reason: ' ' }), 'PLAN_STEERING_REFUSED'],
  ['before anybody asks for it', after(), approval(), 'PLAN_STEERING_REFUSED'],
  ['of a step that asks nobody', asked, approval({ step: 'act' }), 'PLAN_STEERING_REFUSED'],
  [
    'that comes after its time was over',
    after({ type: 'started', step: 'confirm' }, { type: 'failed', step: 'confirm', message: 'not done after 1 s' }),
    approval(),
    'PLAN_STEERING_REFUSED',
  ],
  [
    'of a run that is taken back',
    after({ type: 'started', step: 'confirm' }, { type: 'aborted', message: 'no' }),
    approval(),
    'PLAN_STEERING_REFUSED',
  ],
] satisfies readonly (readonly [string, RunState, Steering, string])[])(
  'an approval %s is refused',
  async (_, state, steering, code) => {
    expect((await caught(() => checkSteering(run(state), steering))).code).toBe(code);
  },
);

test('an approval is given once', async () => {
  expect((await caught(() => checkSteering(run(asked, ['confirm']), approval()))).code).toBe('PLAN_STEERING_REFUSED');
});
