/**
 * Goal: where changed blocks cannot be taken, or are lost later, an incremental backup is what it always was: a point in the journals.
 * Method: the setting of the server, the bound of the chain and the timeline are changed; a middle member of a chain is altered, then
 * removed, with and without the journal; what comes back is compared row by row, and a refusal leaves everything as it was.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../support/product/mid-stream.ts';
import { whenAvailable } from '../support/tools.ts';
import {
  GROUP_BUSY,
  startNative,
  rowsOnly,
  summarize,
  type Native,
  type Taken,
} from './product-native-support/native.ts';
import { differencesFrom } from './product-point-in-time-support/moments.ts';

/** The journal has a full backup taken by itself where a history ends. */
const FULL_WITHIN_MS = 90_000;

const describeNative = await whenAvailable('temporal', 'postgres 17', 'redis 7');

describeNative('without changed blocks', () => {
  let native: Native;
  let full: string;
  let first: Taken;
  let middle: Taken;
  let last: Taken;

  beforeAll(async () => {
    native = await startNative({ postgresMajor: 17, postgres: { incrementalChain: 3 } });
    full = (await native.product.succeed('backup', 'full'))['backup'].id;
    const taken: Taken[] = [];
    for (const percent of [10, 40, 70]) {
      await native.change(percent);
      taken.push(await native.incremental());
    }
    [first, middle, last] = taken as [Taken, Taken, Taken];
  });
  afterAll(async () => native?.stop());

  const restored = async (id: string) => {
    const into = ['--postgres', '--target-database', 'aside', '--drop-existing'];
    const answer = await native.product.succeed('restore', id, ...into);
    return { answer, data: rowsOnly(await native.product.fingerprint('aside')) };
  };
  const pathIn = (id: string): string => join(native.product.store, 'backups', id);

  test('a chain that is as long as it may be says that a full backup is due, and takes a point alone', async () => {
    const { backup, native: outcome, warnings } = (await native.incremental()).answer;
    expect([backup.kind, backup.components.postgres.base, outcome.parentId]).toEqual(['incremental', undefined, null]);
    expect(outcome.obstacle.code).toBe('chain-full');
    expect(warnings).toEqual([expect.stringMatching(/3 incremental bases .* a full backup is due/)]);
  });

  test('a server that does not summarize its WAL is named, and the point alone comes back', async () => {
    await summarize(native.product, 'off');
    await native.change(85);
    const { id, answer, data } = await native.incremental();
    await summarize(native.product, 'on');
    expect(answer['native'].obstacle).toEqual({ code: 'summaries-off', reason: 'summarize_wal is off' });
    const now = await restored(id);
    expect(differencesFrom(data, now.data)).toEqual([]);
  });

  test('an altered member is found, and the restore does without it, with more WAL', async () => {
    const objects = (await native.product.storedKeys()).filter((key) => key.includes(`${middle.id}/postgres/`));
    const path = join(native.product.store, objects.find((key) => key.includes('/base-0001-')) ?? 'no base');
    const bytes = await readFile(path);
    const altered = Buffer.from(bytes);
    const at = bytes.length >> 1;
    altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
    await writeFile(path, altered);
    try {
      const { exit, json } = await native.product.cli(['backup', 'verify', last.id]);
      expect([exit, json['error'].code, json['problems'][0].backupId]).toEqual([4, 'BACKUP_DAMAGED', middle.id]);
      const { answer, data } = await restored(last.id);
      expect(differencesFrom(last.data, data)).toEqual([]);
      const [check] = answer['checks'];
      expect(check).toMatchObject({ status: 'skip', expected: `base of ${last.id}`, actual: `base of ${first.id}` });
      expect(check.message).toContain(`${middle.id} cannot be used, so more WAL was replayed`);
    } finally {
      await writeFile(path, bytes);
    }
  });

  test('a removed member is named; without the WAL to do without it the restore is refused before anything is touched', async () => {
    await rename(pathIn(middle.id), `${pathIn(middle.id)}.away`);
    const journal = join(native.product.store, 'journals', 'postgres');
    try {
      const shown = await native.product.succeed('backup', 'show', last.id);
      expect(shown['lineage'].missing).toEqual([middle.id]);
      const args = ['restore', last.id, '--postgres', '--drop-existing'];
      const { plan } = await native.product.succeed(...args, '--dry-run');
      expect(plan.replay.postgres.baseId).toBe(first.id);
      expect(plan.steps[0]).toContain(`${last.id} stands on ${middle.id}, which is not there`);

      await rename(journal, `${journal}.away`);
      const before = await native.product.fingerprint();
      const { exit, json } = await native.product.cli(args);
      expect([exit, json['error'].code]).toEqual([4, 'BACKUP_CHAIN_BROKEN']);
      expect(await native.product.fingerprint()).toEqual(before);
    } finally {
      await rm(journal, { recursive: true, force: true });
      await rename(`${journal}.away`, journal);
      await rename(`${pathIn(middle.id)}.away`, pathIn(middle.id));
    }
  });

  test('after a promotion a full backup is taken, and the next chain stands on it', async () => {
    const newFull = async () =>
      (await native.product.manager.listBackups()).find(({ kind, id }) => kind === 'full' && id !== full);

    await writeFile(join(native.product.postgres.dataDir, 'standby.signal'), '', { mode: 0o644 });
    await native.product.postgres.restart();
    await native.product.postgres.query('SELECT pg_promote(true, 60)');
    const asked = await native.product.cli(['backup', 'incremental']);
    expect([0, GROUP_BUSY]).toContain(asked.exit);
    // The journal may have one taken before we ask for it.
    await until('a full backup of the new timeline', async () => (await newFull()) !== undefined, FULL_WITHIN_MS);
    // It is listed a moment before its run, which holds the group, has ended.
    await native.product.cli(['attach', 'lifeboat/default']);
    await native.change(30);
    const { id, answer, data } = await native.incremental();
    const fresh = (await newFull())!;
    expect(fresh.components.postgres?.base?.timeline).toBe(2);
    expect([answer['native'].parentId, answer['backup'].components.postgres.base.chain]).toEqual([
      fresh.id,
      [fresh.id],
    ]);
    expect(differencesFrom(data, (await restored(id)).data)).toEqual([]);
  });
});
