import { text } from 'node:stream/consumers';
import type { DrillReport } from '../../../src/domain/drill/drill.ts';
import { noteReads } from '../../../src/recovery/drill/noted-reads.ts';
import type { ReplaySources } from '../../../src/recovery/replay/replay-sources.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { readSmallObject, sha256Of } from '../../../src/repository/small-object.ts';
import { makeBackup, openPlace, openWriter, OPERATION, type TestPlace } from './fixture.ts';

const reportOf = (drillId: string): DrillReport => ({
  version: 1,
  drillId,
  group: 'default',
  requestedBy: 'me',
  workflowId: 'w',
  runId: 'r',
  verdict: 'pass',
  reasons: [],
  startedAt: '2026-01-15T10:00:00.000Z',
  finishedAt: '2026-01-15T10:01:00.000Z',
  point: null,
  phases: [],
  checks: [],
  rtoMs: 1,
  rpoMs: null,
  behindNewestMs: null,
  objectives: { rtoMs: null, rpoMs: null },
  readWhole: [],
  nextDueAt: null,
});

let place: TestPlace;
let repository: Repository;
beforeEach(async () => {
  place = await openPlace();
  repository = await openWriter(place);
});
afterEach(async () => place.remove());

const stored = async (file: string): Promise<Buffer> => (await readSmallObject(place.store, `reports/${file}`))!;

describe('a report of a drill', () => {
  test('is kept once, with a page that names its digest, and comes back as it was', async () => {
    const report = reportOf('drill-1');
    const kept = await repository.reports.keep(report, (sha256) => `page of ${sha256}`);
    expect(await repository.reports.keep(report, (sha256) => `page of ${sha256}`)).toEqual(kept);
    expect(kept.sha256).toBe(sha256Of(await stored('drill-1/report.json')));
    expect((await stored('drill-1/report.html')).toString()).toBe(`page of ${kept.sha256}`);
    expect(await repository.reports.load('drill-1')).toEqual({ report, ...kept });
    await expect(repository.reports.keep({ ...report, verdict: 'fail' }, () => '')).rejects.toMatchObject({
      code: 'STORE_KEY_EXISTS',
    });
  });

  test('is listed, the newest first; a page alone, and reports of other things, are none', async () => {
    for (const id of ['drill-1', 'drill-3', 'drill-2']) await repository.reports.keep(reportOf(id), () => '');
    await place.store.put('reports/drill-4/report.html', Buffer.from('half'));
    await place.store.put('reports/run-5/report.json', Buffer.from('{}'));
    expect(await repository.reports.list(2)).toEqual(['drill-3', 'drill-2']);
    await expect(repository.reports.load('drill-4')).rejects.toMatchObject({ code: 'DRILL_NOT_FOUND' });
    await expect(repository.reports.load('../keys')).rejects.toMatchObject({ code: 'DRILL_NOT_FOUND' });
  });

  test('that was altered, or was put in the place of another, is damaged', async () => {
    await repository.reports.keep(reportOf('drill-1'), () => '');
    const json = await stored('drill-1/report.json');
    await place.store.put('reports/drill-1/report.json', Buffer.from(json.toString().replace('"pass"', '"fail"')));
    await place.store.put('reports/drill-2/report.json', json);
    for (const id of ['drill-1', 'drill-2']) {
      await expect(repository.reports.load(id)).rejects.toMatchObject({ code: 'RECORD_DAMAGED' });
    }
  });
});

describe('what a drill reads', () => {
  const read = async (artifacts: readonly (readonly ['postgres' | 'redis', string])[]): Promise<readonly string[]> => {
    const { manifest } = await makeBackup(repository);
    const noted = noteReads({ repository: async () => repository } as Partial<ReplaySources> as ReplaySources);
    const source = await noted.sources.repository();
    for (const [component, name] of artifacts) await text(source.readArtifact(manifest, component, name, OPERATION));
    for (const whole of noted.whole()) await repository.recordRead(whole, '2026-01-15T11:00:00.000Z');
    return noted.whole().map(({ id }) => id);
  };

  test('is in the ledger of verifications where it was everything', async () => {
    const whole = await read([
      ['postgres', 'dump'],
      ['postgres', 'globals'],
      ['redis', 'snapshot'],
    ]);
    const [backup] = await repository.list();
    expect(whole).toEqual([backup!.id]);
    expect(backup!.verifiedAt).not.toBeNull();
  });

  test('is not where something was left out', async () => {
    expect(
      await read([
        ['postgres', 'dump'],
        ['redis', 'snapshot'],
      ]),
    ).toEqual([]);
    expect((await repository.list())[0]!.verifiedAt).toBeNull();
  });
});
