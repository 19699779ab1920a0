/**
 * Writes what is derived from code: config/{backup,plan}.schema.json and docs/reference/{alerts,configuration,cli,errors,metrics,plan-steps}.md.
 * `node scripts/generate-reference.ts`; test/architecture/reference.test.ts fails when a file is stale.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alertReference } from './reference/alerts.ts';
import { cliReference } from './reference/cli.ts';
import { configurationReference, configurationSchema } from './reference/configuration.ts';
import { errorReference } from './reference/errors.ts';
import { metricsReference } from './reference/metrics.ts';
import { planJsonSchema, planReference } from './reference/plans.ts';

/** Content by path, relative to the project. */
export function referenceFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['config/backup.schema.json', configurationSchema()],
    ['config/plan.schema.json', planJsonSchema()],
    ['docs/reference/plan-steps.md', planReference()],
    ['docs/reference/configuration.md', configurationReference()],
    ['docs/reference/cli.md', cliReference()],
    ['docs/reference/errors.md', errorReference()],
    ['docs/reference/metrics.md', metricsReference()],
    ['docs/reference/alerts.md', alertReference()],
  ]);
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  for (const [path, content] of referenceFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    console.log(path);
  }
}
