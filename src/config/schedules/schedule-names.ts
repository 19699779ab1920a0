/** Names of schedules that are not made by `schedules`, with the key that makes each. */
export const MANUAL_SCHEDULE = { name: 'backup', key: 'schedule' } as const;
export const PLANS_SCHEDULE = { name: 'plans', key: 'drPlans.evaluateEvery' } as const;
