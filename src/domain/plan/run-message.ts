import { formatDuration } from '../duration.ts';
import type { Message } from '../message.ts';
import type { PlanRunView } from './run-view.ts';

/** How a run stands, for people who are told of it; `text` replaces the sentences. */
export function messageOfRun(run: PlanRunView, text: string): Message {
  const bad = run.steps.filter(({ status }) => status === 'failed' || status === 'waiting');
  const done = run.steps.filter(({ status }) => status === 'succeeded').map(({ name }) => name);
  const sentences = [
    `Done: ${done.join(', ') || 'nothing yet'}.`,
    ...bad.map(({ name, message }) => `${name} failed: ${message}.`),
    ...(run.rtoMs === null ? [] : [`Recovered and validated after ${formatDuration(run.rtoMs)}.`]),
    ...(run.rpoMs === null ? [] : [`What came back was ${formatDuration(run.rpoMs)} old.`]),
  ];
  return {
    title: `Recovery plan ${run.planName}: ${bad.length === 0 ? 'recovered' : 'recovered, with failures'}`,
    text: text === '' ? sentences.join(' ') : text,
    isAlarm: bad.length > 0,
    facts: { plan: run.planId, run: run.id, mode: run.mode, startedBy: run.startedBy, startedAt: run.startedAt },
  };
}
