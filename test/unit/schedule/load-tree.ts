import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../src/config/load-config.ts';
import type { Config } from '../../../src/config/schema/config.ts';

/** What a file with this content is read as. @throws LifeboatError CONFIG_INVALID */
export function loadTree(tree: object): Config {
  const cwd = mkdtempSync(join(tmpdir(), 'lifeboat-schedules-'));
  try {
    const file = join(cwd, 'backup.json');
    writeFileSync(file, JSON.stringify(tree));
    return loadConfig({ flags: { config: file }, env: {}, cwd }).config;
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
