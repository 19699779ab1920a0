import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { PlanRunView } from '../domain/plan/run-view.ts';
import type { Steering } from '../domain/plan/steering.ts';
import { QUERIES, UPDATES } from './names.ts';

/** What a person does to a run. Its validator answers at once: what cannot be done now is never accepted. */
export const steerPlan = defineUpdate<PlanRunView, [Steering]>(UPDATES.steerPlan);

/** How a run stands, also after its end. */
export const planRun = defineQuery<PlanRunView>(QUERIES.planRun);
