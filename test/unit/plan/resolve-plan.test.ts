import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openPlans } from '../../../src/config/plans/plan-library.ts';
import { resolvePlan } from '../../../src/config/plans/resolve-plan.ts';
import { DEFAULT_PLAN } from '../../../src/domain/plan/default-plan.ts';
import { planJsonSchema } from '../../../scripts/reference/plans.ts';
import { caught } from '../../support/caught.ts';
import { MANUAL_PLAN } from '../../support/manual-plan.ts';

const planOf = (...steps: readonly object[]): object => ({
  id: 'p',
  name: 'P',
  steps: steps.map((step, index) => ({ id: `s${index}`, name: 'S', order: index, ...step })),
});

async function problems(document: unknown, parameters: Record<string, string> = {}): Promise<readonly string[]> {
  const { code, details } = await caught(() => resolvePlan('p', document, { parameters }));
  expect(code).toBe('PLAN_INVALID');
  return details['problems'] as readonly string[];
}

test("the manual's plan is accepted as it stands", () => {
  const { plan } = resolvePlan('manual', MANUAL_PLAN);
  expect(plan.steps.map(({ id, onFailure, pointOfNoReturn }) => [id, onFailure, pointOfNoReturn])).toEqual([
    ['failover-to-replica', 'abort', true],
    ['restore-primary', 'abort', false],
  ]);
  expect(plan.steps[1]?.action).toEqual({
    type: 'restore',
    config: {
      backup: 'latest',
      components: 'stored',
      dropExisting: true,
      stopServices: true,
      targetDatabase: null,
      to: null,
      fromTarget: null,
    },
  });
  expect(plan.steps[0]?.action).toEqual({
    type: 'failover',
    config: { targetRegion: 'us-west-2', failoverType: 'automatic' },
  });
});

test('PostgreSQL is promoted only behind a fence of the same region or an approval, and the numbers of a loss may be texts', async () => {
  const fence = (targetRegion: string): object => ({ type: 'fence', config: { targetRegion } });
  const promote = (more: object = {}): object => ({ type: 'promote', config: { targetRegion: 'b', ...more } });
  const unproven = 'expected a step of type fence for b, or of type approval, of a lower order';
  expect(await problems(planOf(fence('a'), promote()))).toEqual([`steps.1: ${unproven}`]);
  expect(await problems(planOf(promote(), fence('b')))).toEqual([`steps.0: ${unproven}`]);
  const rejoin = { type: 'rejoin', config: { region: 'a', giveUpTransactions: '${giveUp}' } };
  const document = { ...planOf(fence('b'), promote(), rejoin), parameters: { giveUp: { default: null } } };
  const given = resolvePlan('p', document, { parameters: { giveUp: '12' } });
  expect(given.plan.steps.map(({ pointOfNoReturn }) => pointOfNoReturn)).toEqual([false, true, false]);
  expect(given.plan.steps.map(({ action }) => action.config)).toEqual([
    { targetRegion: 'b' },
    { targetRegion: 'b', components: 'configured' },
    { region: 'a', rebuild: false, giveUpTransactions: 12 },
  ]);
  // What is given up is in the digest that an approval names.
  expect(resolvePlan('p', document).plan.steps[2]?.action.config).toMatchObject({ giveUpTransactions: null });
  expect(resolvePlan('p', document).digest).not.toBe(given.digest);
  resolvePlan('p', planOf({ type: 'approval' }, promote()));
  resolvePlan('p', planOf(promote({ components: ['redis'] })));
});

test('the JSON Schema accepts both plans, and refuses a step of no type', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(planJsonSchema()) as object,
  );
  expect([MANUAL_PLAN, DEFAULT_PLAN].map((plan) => validate(structuredClone(plan)))).toEqual([true, true]);
  expect(validate({ ...MANUAL_PLAN, steps: [{ id: 'a', name: 'A', type: 'magic', order: 1 }] })).toBe(false);
});

test('a backup of what a later step replaces is an emergency backup, one behind it is not', () => {
  const restore = { type: 'restore', config: {} };
  const { plan } = resolvePlan('p', planOf({ type: 'backup' }, restore, { type: 'backup' }));
  expect(plan.steps.map(({ action }) => action.type === 'backup' && action.config.emergency)).toEqual([
    true,
    false,
    false,
  ]);
});

test('equal plans have equal digests however they are written, and every value counts', () => {
  const { digest } = resolvePlan('p', MANUAL_PLAN);
  const turned = Object.fromEntries(Object.entries(MANUAL_PLAN).toReversed());
  expect(resolvePlan('p', turned).digest).toBe(digest);
  expect(resolvePlan('p', { ...MANUAL_PLAN, priority: 'low' }).digest).not.toBe(digest);
  expect(resolvePlan('p', MANUAL_PLAN, { objectives: { rtoMs: 1, rpoMs: null } }).digest).not.toBe(digest);
});

test('parameters take their places, and null leaves a key out', () => {
  const restoreOf = (parameters: Record<string, string>): unknown =>
    resolvePlan('default', DEFAULT_PLAN, { parameters }).plan.steps[1]?.action.config;
  expect(restoreOf({})).toMatchObject({ backup: 'latest', to: null });
  expect(restoreOf({ toTime: '2026-01-15T10:30:59+01:00' })).toMatchObject({
    to: { time: '2026-01-15T09:30:59.000Z' },
  });
});

test.each([
  ['an unknown key', planOf({ type: 'wait', config: { for: '1s' }, tiemout: '1m' }), 'did you mean timeout'],
  ['an unknown type', planOf({ type: 'magic' }), 'steps.0.type'],
  [
    'a time without an offset',
    planOf({ type: 'restore', config: { restoreOptions: { toTime: '2026-01-15T10:30:59' } } }),
    'with an offset',
  ],
  [
    'two targets',
    planOf({ type: 'restore', config: { restoreOptions: { toTime: '2026-01-15T10:30:59Z', toLsn: '0/1' } } }),
    'one of toTime and toLsn',
  ],
  [
    'an id twice',
    planOf({ id: 'a', type: 'wait', config: { for: '1s' } }, { id: 'a', type: 'wait', config: { for: '1s' } }),
    'a is there twice',
  ],
  [
    'a condition on a later step',
    planOf(
      { type: 'wait', config: { for: '1s' }, when: { step: 's1', is: 'failed' } },
      { type: 'wait', config: { for: '1s' } },
    ),
    's1: no step of a lower order',
  ],
  ['half a condition', planOf({ type: 'wait', config: { for: '1s' }, when: { step: 's0' } }), 'step and is together'],
  [
    'a plan that is not there',
    planOf({ type: 'plan', config: { planId: 'nowhere' } }),
    'nowhere: no plan that can be a step',
  ],
  [
    'a wrong value for the ungraceful mode',
    planOf({ type: 'wait', config: { for: '1s' }, ungraceful: { config: { for: 'soon' } } }),
    'steps.0.ungraceful.config.for',
  ],
  ['no step', planOf(), 'steps'],
  ['a command line in the place of a name', planOf({ type: 'command', config: { run: ['rm'] } }), 'steps.0.config'],
  ['no object', [], 'not a JSON object'],
])('%s is refused by name', async (_, document, said) => {
  expect((await problems(document)).join('\n')).toContain(said);
});

test('a parameter that is not declared, or has no value, is refused', async () => {
  const document = { ...planOf({ type: 'command', config: { command: '${what}' } }), parameters: { what: {} } };
  expect(await problems(document)).toEqual([
    'steps.0.config.command: parameter what has no value: give it with --param what=…',
  ]);
  expect((await problems(document, { whar: 'x', what: 'y' })).join()).toContain('did you mean what');
});

test('a plan may be a step of another, one level deep', () => {
  const inner = planOf({ type: 'wait', config: { for: '1s' } });
  const outer = { ...planOf({ type: 'plan', config: { planId: 'p' } }), id: 'outer' };
  const find = (id: string): unknown => ({ p: inner, outer })[id];
  expect(resolvePlan('outer', outer, { find }).plan.steps[0]?.action).toMatchObject({ config: { plan: { id: 'p' } } });
  const deeper = planOf({ type: 'plan', config: { planId: 'outer' } });
  expect(() => resolvePlan('deeper', deeper, { find })).toThrow('outer: no plan that can be a step');
});

describe('a folder of plans', () => {
  const dir = mkdtempSync(join(tmpdir(), 'lifeboat-plans-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const library = openPlans({ drPlans: { dir }, objectives: {} });

  test('that is missing or empty leaves the plan that is built in', () => {
    expect(openPlans({ drPlans: { dir: join(dir, 'nowhere') }, objectives: {} }).list()).toEqual(library.list());
    expect(library.list()).toMatchObject([{ id: 'default-recovery', file: null, steps: 5, problems: [] }]);
  });

  test('lists a broken file with what is wrong with it, and the others', () => {
    writeFileSync(join(dir, 'broken.json'), '{');
    writeFileSync(join(dir, 'manual.json'), JSON.stringify(MANUAL_PLAN));
    expect(library.list().map(({ id, problems: found }) => [id, found])).toEqual([
      ['default-recovery', []],
      ['broken', ['not JSON']],
      [MANUAL_PLAN.id, []],
    ]);
    expect(() => library.find('critical-failure')).toThrow('not built in');
  });

  test('may hold another plan in the place of the one that is built in', () => {
    writeFileSync(join(dir, 'own.json'), JSON.stringify({ ...MANUAL_PLAN, id: 'default-recovery' }));
    expect(library.find('default-recovery').file).toBe(join(dir, 'own.json'));
  });

  test('changes the definition of a plan with every edit, also of a plan that it nests', () => {
    const outer = { ...planOf({ type: 'plan', config: { planId: 'inner' } }), id: 'outer' };
    const write = (text: string): string => {
      writeFileSync(join(dir, 'outer.json'), JSON.stringify(outer));
      writeFileSync(join(dir, 'inner.json'), text);
      return library.definitionOf(library.find('outer'));
    };
    const inner = planOf({ type: 'wait', config: { for: '1s' } });
    const before = write(JSON.stringify({ ...inner, id: 'inner' }));
    expect(write(JSON.stringify({ ...inner, id: 'inner', name: 'Q' }))).not.toBe(before);
  });
});
