import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AlertSettings, alertSettings } from '../../../src/config/alert-settings.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { notificationChannels } from '../../../src/config/plan-settings.ts';
import { PROJECT_DIR } from '../../../src/embedded/places.ts';
import type { Channel } from '../../../src/notify/notify.ts';

const ENV = {
  MAIL: 'smtps://ops:pw@host',
  SMTP_URL: 'smtps://h',
  SLACK_WEBHOOK: 'https://h/a',
  HOOK_URL: 'https://h/b',
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lifeboat-alert-settings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(file: object): { readonly settings: AlertSettings; readonly channels: readonly Channel[] } {
  writeFileSync(join(folder, 'backup.json'), JSON.stringify(file));
  const { config } = loadConfig({
    env: ENV,
    cwd: folder,
    flags: { config: 'backup.json' },
  });
  return { settings: alertSettings(config), channels: notificationChannels(config) };
}

test('without a word about it alerts are looked for every minute, and told to nobody', () => {
  const { settings, channels } = load({});
  expect(settings).toMatchObject({ isEnabled: true, everyMs: 60_000, telling: { channels: [], quiet: [] } });
  expect(settings.rules).toMatchObject({ backupAgeMs: 2 * 86_400_000, slotWalBytes: 4 * 2 ** 30, rpoMs: null });
  expect(channels).toEqual([]);
});

test('channels and thresholds are those of the file; the objective is a threshold', () => {
  const { settings, channels } = load({
    objectives: { rpo: '5m' },
    alerts: { freeSpace: { critical: 10 }, quiet: ['drill-overdue'] },
    notifications: {
      team: { type: 'email', smtpUrl: { env: 'MAIL' }, from: 'a@b', to: ['c@d'], events: ['storage'] },
      siren: { type: 'command', run: ['siren', '--loud'], timeout: '1h' },
    },
  });
  expect(settings.rules).toMatchObject({ rpoMs: 300_000, freeSpace: { warning: 15, critical: 10 } });
  expect(settings.telling).toMatchObject({
    quiet: ['drill-overdue'],
    channels: [
      { name: 'team', events: ['storage'] },
      { name: 'siren', events: ['failure', 'recovery', 'lag', 'storage', 'drill', 'plan'] },
    ],
  });
  expect(channels).toMatchObject([
    { name: 'team', type: 'email', from: 'a@b', to: ['c@d'], tls: 'required' },
    // No program holds up what is behind it for longer.
    { name: 'siren', type: 'command', run: ['siren', '--loud'], timeoutMs: 300_000 },
  ]);
  expect(JSON.stringify(channels)).not.toContain('pw');
});

test('what the guide shows can be used as it stands', () => {
  const guide = readFileSync(join(PROJECT_DIR, 'docs/guides/alerts.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = '']) => JSON.parse(text) as object);
  expect(blocks).toHaveLength(2);
  const key = join(folder, 'pagerduty');
  writeFileSync(key, 'routing-key');
  const merged = JSON.stringify(Object.assign({}, ...blocks)).replace('/run/secrets/pagerduty', key);
  const { channels, settings } = load(JSON.parse(merged) as object);
  expect(channels.map(({ type }) => type)).toEqual(['slack', 'pagerduty', 'email', 'webhook', 'command']);
  expect(settings.rules).toMatchObject({ backupAgeMs: 26 * 3_600_000, rpoMs: 300_000 });
});

test.each([
  [{ alerts: { evaluateEvery: '0s' } }, 'expected 1s or longer'],
  [{ alerts: { quiet: ['noise'] } }, 'alerts.quiet.0'],
  [{ notifications: { x: { type: 'command', run: [] } } }, 'notifications.x.run'],
  [{ notifications: { x: { type: 'email', smtpUrl: 'smtp://h', from: 'a@b', to: [] } } }, 'notifications.x.to'],
])('%j is refused', (file, why) => {
  expect(() => load(file)).toThrow(why);
});
