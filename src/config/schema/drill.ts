import * as z from 'zod';
import { duration } from './leaf.ts';

const check = z
  .strictObject({
    name: z.string().min(1).max(100).describe('Name in reports'),
    sql: z.string().min(1).optional().describe('Statement in the restored database; its first value is what counts'),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('Program and arguments, instead of `sql`; the scratch servers are in its environment'),
    expected: z
      .union([z.string(), z.number(), z.boolean()], 'expected text, a number, or true or false')
      .optional()
      .describe('The answer must be this'),
    min: z.number().optional().describe('The answer is a number, and at least this'),
    max: z.number().optional().describe('The answer is a number, and at most this'),
    timeout: duration().default('1m').describe('Time that it may take'),
  })
  .refine(({ sql, command }) => (sql === undefined) !== (command === undefined), 'expected one of sql and command')
  .refine(
    ({ sql, expected, min, max }) => sql === undefined || [expected, min, max].some((one) => one !== undefined),
    'expected one of expected, min and max beside sql',
  );

/** How recoveries are rehearsed. */
export const drillSection = z
  .strictObject({
    every: duration().optional().describe('How often a drill is to be done; `status` says when one is overdue'),
    checks: z
      .array(check)
      .refine((checks) => new Set(checks.map(({ name }) => name)).size === checks.length, 'expected names that differ')
      .default([])
      .describe('What must be true of restored data'),
  })
  .prefault({});
