import type * as z from 'zod';
import { nearestName } from '../domain/nearest-name.ts';
import { suggestion } from './from-environment.ts';
import { knownKeys, schemasAt } from './schema/walk.ts';
import type { Issue } from './secrets.ts';

/** A zod issue in words; unknown keys are named one by one, with the nearest known one. */
export function explainIssue(schema: z.core.$ZodType, issue: z.core.$ZodIssue): readonly Issue[] {
  if (issue.code === 'unrecognized_keys') {
    const known = schemasAt(schema, issue.path).flatMap(knownKeys);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: suggestion('unknown key', nearestName(key, known)),
    }));
  }
  if (issue.code === 'invalid_value') {
    const choices = issue.values.map((value) => JSON.stringify(value)).join(', ');
    return [
      {
        path: issue.path,
        message: issue.message.startsWith('expected') ? issue.message : `expected one of ${choices}`,
      },
    ];
  }
  return [{ path: issue.path, message: lowerFirst(issue.message.replace(/^Invalid input: /, '')) }];
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
