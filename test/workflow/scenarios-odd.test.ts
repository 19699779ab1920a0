/**
 * Goal: each workflow calls its activities in the right order, cleans up after failures and obeys cancellation.
 * Method: real Temporal server and worker, activities that only record their calls, one scenario per path; every second one, since two files run at once.
 */
import { playScenarios } from '../support/workflows/play-scenarios.ts';
import { SCENARIOS } from '../support/workflows/scenarios.ts';

playScenarios(SCENARIOS.filter((_, index) => index % 2 === 1));
