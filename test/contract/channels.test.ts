/**
 * Goal: every kind of channel hands messages over as its other side understands them, says when it does not, and gives no secret away.
 * Method: one suite for all drivers, against real servers and programs on this machine; what arrived is read where it arrived.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notice } from '../../src/domain/alerts/alert.ts';
import { makeAlert } from '../../src/domain/alerts/make-alert.ts';
import { messageOf } from '../../src/domain/alerts/message-of.ts';
import type { Message } from '../../src/domain/message.ts';
import { createSecret } from '../../src/domain/secret.ts';
import { createNotifications } from '../../src/notify/create-notifications.ts';
import type { Channel, ChannelSettings, EmailSettings } from '../../src/notify/notify.ts';
import { freePort } from '../../src/platform/ports.ts';
import { caught } from '../support/caught.ts';
import { makeCertificate } from '../support/certificates.ts';
import { startHookServer } from '../support/hook-server.ts';
import { startMailServer } from '../support/mail-server.ts';
import '../support/one-realm.ts';

const LOGIN = { user: 'ops@example', password: 'canary-secret' };
const SECRETS = ['canary-secret', 'secret-path'];
const SINCE = '2026-01-02T03:04:05.678Z';
const ALERT = makeAlert('operation-failed', 'full', {
  summary: 'full backup failed: no <space> left',
  since: SINCE,
  facts: { operation: 'full' },
});
const notice = (state: Notice['state']): Notice => ({
  id: `g/operation-failed/full@1/${state}`,
  state,
  at: '2026-01-02T04:04:05.678Z',
  group: 'g',
  occurrence: 'g/operation-failed/full@1',
  alert: ALERT,
});
const FIRE = messageOf(notice('fire'));
const RESOLVE = messageOf(notice('resolve'));
/** What a step of a recovery plan tells. */
const OF_A_PLAN: Message = {
  title: 'Recovered',
  text: 'all of it',
  isAlarm: false,
  facts: { run: 'run-1', plan: 'p' },
};

let folder: string;
let hook: Awaited<ReturnType<typeof startHookServer>>;
let mail: Awaited<ReturnType<typeof startMailServer>>;
let certificate: Awaited<ReturnType<typeof makeCertificate>>;
const { signal } = new AbortController();
const tell = async (settings: ChannelSettings, message: Message): Promise<void> =>
  createNotifications([{ name: 'ops', events: [], ...settings }]).tell('ops', message, signal);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-channels-'));
  certificate = await makeCertificate(folder);
  const [cert, key] = await Promise.all([readFile(certificate.certPath), readFile(certificate.keyPath)]);
  hook = await startHookServer();
  mail = await startMailServer({ cert, key, login: LOGIN });
});
afterAll(async () => {
  await hook?.stop();
  await mail?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  hook.answerWith(200);
  hook.bodies.length = 0;
  mail.mails.length = 0;
});

const program = async (lines: string): Promise<readonly [string, ...string[]]> => {
  const path = join(folder, 'tell.sh');
  await writeFile(path, `#!/bin/sh\n${lines}\n`);
  await chmod(path, 0o755);
  return [path, join(folder, 'told.json')];
};
const smtp = (more: Partial<EmailSettings> & { readonly url?: string } = {}): EmailSettings => {
  const { url = `smtp://ops%40example:canary-secret@localhost:${mail.port}`, ...rest } = more;
  const settings = {
    type: 'email',
    from: 'lifeboat@example',
    to: ['a@example', 'b@example'],
    tls: 'required',
  } as const;
  return { ...settings, smtpUrl: createSecret(url), caPath: certificate.certPath, ...rest };
};

interface Kind {
  works(): Promise<ChannelSettings>;
  /** The other side is there, and refuses. */
  refuses(): Promise<ChannelSettings>;
  /** Nobody is there. */
  isAway(): Promise<ChannelSettings>;
  /** What arrived last, as text. */
  arrived(): Promise<string>;
}

const hookKind = (settings: (url: string) => ChannelSettings): Kind => ({
  works: async () => settings(hook.url),
  refuses: async () => {
    hook.answerWith(500);
    return settings(hook.url);
  },
  isAway: async () => settings(`http://127.0.0.1:${await freePort()}/hook/secret-path`),
  arrived: async () => JSON.stringify(hook.bodies.at(-1)),
});
const KINDS: Readonly<Record<string, Kind>> = {
  webhook: hookKind((url) => ({ type: 'webhook', url: createSecret(url) })),
  slack: hookKind((url) => ({ type: 'slack', url: createSecret(url) })),
  pagerduty: hookKind((url) => ({ type: 'pagerduty', routingKey: createSecret('canary-secret'), url })),
  email: {
    works: async () => smtp(),
    refuses: async () => smtp({ url: `smtp://ops%40example:wrong-canary-secret@localhost:${mail.port}` }),
    isAway: async () => smtp({ url: `smtps://ops:canary-secret@127.0.0.1:${await freePort()}` }),
    arrived: async () => mail.mails.at(-1)?.raw ?? '',
  },
  command: {
    works: async () => ({ type: 'command', run: await program('cat > "$1"'), timeoutMs: 10_000 }),
    refuses: async () => ({
      type: 'command',
      run: await program('cat > /dev/null; echo no >&2; exit 3'),
      timeoutMs: 10_000,
    }),
    isAway: async () => ({ type: 'command', run: ['/nowhere/tell'], timeoutMs: 10_000 }),
    arrived: async () => readFile(join(folder, 'told.json'), 'utf8'),
  },
};

describe.each(Object.entries(KINDS))('a channel of kind %s', (type, kind) => {
  test('hands over what an alert says', async () => {
    await tell(await kind.works(), FIRE);
    expect(await kind.arrived()).toContain('operation failed: full');
  });

  test('tells what a step of a plan says', async () => {
    await tell(await kind.works(), OF_A_PLAN);
    expect(await kind.arrived()).toContain('Recovered');
  });

  test.each(['refuses', 'isAway'] as const)('that %s says so, and gives no secret away', async (how) => {
    const settings = await kind[how]();
    const { code, message, details, cause } = await caught(async () => tell(settings, FIRE));
    expect({ code, message }).toEqual({
      code: 'NOTIFICATION_FAILED',
      message: expect.stringMatching(/^tell channel ops: \S/),
    });
    for (const secret of SECRETS) expect(JSON.stringify([message, details, String(cause)])).not.toContain(secret);
  });

  test('ends with the reason of an abort', async () => {
    const reason = new Error('the worker ends');
    const channel: Channel = { name: 'ops', events: [], ...(await kind.works()) };
    const telling = createNotifications([channel]).tell('ops', FIRE, AbortSignal.abort(reason));
    await expect(telling).rejects.toBe(reason);
    expect(type).toBe(channel.type);
  });
});

test('channels are chosen by the event, and by name', () => {
  const hookOf = (name: string, events: readonly string[]): Channel => ({
    name,
    events,
    type: 'webhook',
    url: createSecret('http://x'),
  });
  const opened = createNotifications([hookOf('a', ['failure']), hookOf('b', ['failure', 'lag'])]);
  expect(opened.choose({ event: 'failure' })).toEqual(['a', 'b']);
  expect(opened.choose({ event: 'lag' })).toEqual(['b']);
  expect(opened.choose(['a'])).toEqual(['a']);
  expect(() => opened.choose(['nobody'])).toThrow('not configured');
});

test('a webhook gets the notice whole, with an id that every attempt has', async () => {
  await tell(await KINDS['webhook']!.works(), FIRE);
  expect(hook.bodies).toEqual([
    {
      event: 'failure',
      title: '[critical] operation failed: full (g)',
      text: expect.stringContaining('What to do: '),
      isAlarm: true,
      facts: { operation: 'full', group: 'g', kind: 'operation-failed', since: SINCE },
      notice: notice('fire'),
    },
  ]);
});

test('Slack gets text in which nothing is taken for a mark of its own', async () => {
  await tell(await KINDS['slack']!.works(), FIRE);
  expect(hook.bodies[0]?.['text']).toContain('no &lt;space&gt; left');
});

test('PagerDuty opens one incident for an alert, and resolves it', async () => {
  const settings = await KINDS['pagerduty']!.works();
  const messages = [FIRE, messageOf(notice('remind')), RESOLVE, OF_A_PLAN, messageOf(notice('test'))];
  for (const message of messages) await tell(settings, message);
  const key = 'lifeboat/g/operation-failed/full';
  expect(hook.bodies.map(({ event_action: action, dedup_key: dedup }) => [action, dedup])).toEqual([
    ['trigger', key],
    ['trigger', key],
    ['resolve', key],
    ['trigger', 'run-1'],
    ['trigger', key],
    ['resolve', key],
  ]);
  expect(hook.bodies.map(({ payload }) => payload?.severity)).toEqual([
    'critical',
    'critical',
    undefined,
    'info',
    'critical',
    undefined,
  ]);
});

describe('email', () => {
  const header = (raw: string, name: string): string | undefined =>
    new RegExp(`^${name}: (.*)$`, 'im').exec(raw.replaceAll('\r\n', '\n'))?.[1];

  test('goes encrypted, as the user, to everybody, and all of an occurrence are one conversation', async () => {
    for (const message of [FIRE, RESOLVE, RESOLVE]) await tell(smtp(), message);
    expect(mail.mails).toMatchObject(
      Array.from({ length: 3 }, () => ({
        isEncrypted: true,
        user: LOGIN.user,
        from: 'lifeboat@example',
        to: ['a@example', 'b@example'],
      })),
    );
    const [fire, resolve, again] = mail.mails.map(({ raw }) => raw) as [string, string, string];
    expect(header(fire, 'subject')).toBe('[critical] operation failed: full (g)');
    expect(header(resolve, 'subject')).toBe('[info] Resolved: operation failed: full (g)');
    expect(header(resolve, 'in-reply-to')).toBe(header(fire, 'message-id'));
    expect(header(again, 'message-id')).toBe(header(resolve, 'message-id'));
  });

  test('goes by TLS from the start to a server that speaks nothing else', async () => {
    const [cert, key] = await Promise.all([readFile(certificate.certPath), readFile(certificate.keyPath)]);
    const secure = await startMailServer({ cert, key, secure: true, login: LOGIN });
    try {
      await tell(smtp({ url: `smtps://ops%40example:canary-secret@localhost:${secure.port}` }), FIRE);
      expect(secure.mails).toMatchObject([{ isEncrypted: true, user: LOGIN.user }]);
    } finally {
      await secure.stop();
    }
  });

  test('is not sent to a server whose certificate nobody vouches for', async () => {
    await expect(tell(smtp({ caPath: undefined }), FIRE)).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED' });
    await expect(tell(smtp({ caPath: '/nowhere.pem' }), FIRE)).rejects.toThrow('read /nowhere.pem: ENOENT');
    expect(mail.mails).toEqual([]);
  });

  test('is sent in clear text only where somebody has said so', async () => {
    const plain = await startMailServer({ disabledCommands: ['STARTTLS'] });
    const url = `smtp://localhost:${plain.port}`;
    try {
      await expect(tell(smtp({ url }), FIRE)).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED' });
      expect(plain.mails).toEqual([]);
      await tell(smtp({ url, tls: 'none' }), FIRE);
      expect(plain.mails).toMatchObject([{ isEncrypted: false }]);
    } finally {
      await plain.stop();
    }
  });

  test.each(['http://localhost', 'smtp://', 'nonsense'])('a URL such as %s is refused', async (url) => {
    await expect(tell(smtp({ url }), FIRE)).rejects.toThrow('smtpUrl is not');
  });

  test('a password with a % that is not encoded is named, and not shown', async () => {
    const refused = await caught(async () => tell(smtp({ url: 'smtp://ops:canary-secret%@localhost' }), FIRE));
    expect(refused.message).toContain('%25');
    expect(refused.message).not.toContain('canary');
  });
});

test('a command has nothing of the message in its arguments', async () => {
  const run = await program('printf "%s " "$@" > "$1.args"; cat > /dev/null');
  await tell({ type: 'command', run, timeoutMs: 10_000 }, FIRE);
  expect(await readFile(join(folder, 'told.json.args'), 'utf8')).toBe(`${join(folder, 'told.json')} `);
});

test('a command that hangs is ended', async () => {
  const run = await program('sleep 60');
  await expect(tell({ type: 'command', run, timeoutMs: 300 }, FIRE)).rejects.toThrow('not done after 300 ms');
});
