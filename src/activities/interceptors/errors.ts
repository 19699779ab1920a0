import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { toApplicationFailure } from '../failure.ts';

/** Every error that leaves an activity carries its code, its hint and whether trying again can help. */
export function createErrorInterceptor(): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw toApplicationFailure(error);
      }
    },
  };
}
