import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

export const HISTORIES = fileURLToPath(new URL('../../replay/histories/', import.meta.url));

/** Version of the workflows that new recordings get; raised with a release whose workflows changed. */
const VERSION = '1.1.0';

/**
 * Keeps the history of a scenario, only when asked for (LIFEBOAT_RECORD=1) and only under a new name: a recording is what
 * a running operation of that version holds, so it is never replaced (LIFEBOAT_RECORD=replace does, before a release).
 */
export async function saveHistory(scenario: string, history: unknown): Promise<void> {
  const mode = process.env['LIFEBOAT_RECORD'];
  if (mode === undefined) return;
  const path = join(HISTORIES, recordingName(scenario, VERSION));
  if (existsSync(path) && mode !== 'replace') return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(
    path,
    `${JSON.stringify(JSON.parse(historyToJSON(history as never), withoutStackTraces), null, 1)}\n`,
  );
}

/** Stack traces name the folders of the machine that recorded; replay does not read them. */
function withoutStackTraces(name: string, value: unknown): unknown {
  return name === 'stackTrace' ? undefined : value;
}

export function recordingName(scenario: string, version: string): string {
  const [workflow = '', path = ''] = scenario.split('/');
  return `${workflow}/${version}-${path}.json`;
}

export interface Recording {
  readonly file: string;
  /** The scenario it is a recording of. */
  readonly scenario: string;
  readonly history: unknown;
}

export async function loadRecordings(): Promise<Recording[]> {
  const files = (await readdir(HISTORIES, { recursive: true })).filter((file) => file.endsWith('.json')).toSorted();
  return Promise.all(
    files.map(async (file) => {
      const scenario = file.replace(/\/\d+\.\d+\.\d+-/, '/').replace(/\.json$/, '');
      return { file, scenario, history: JSON.parse(await readFile(join(HISTORIES, file), 'utf8')) as unknown };
    }),
  );
}
