import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSecret } from '../../../src/domain/secret.ts';
import { createNotifications } from '../../../src/notify/create-notifications.ts';
import type { Channel, Notifications } from '../../../src/notify/notify.ts';
import { caught } from '../../support/caught.ts';

const MESSAGE = { title: 'Recovered', text: 'all of it', isAlarm: false, facts: { run: 'run-1', plan: 'p' } };
const PATH = '/hook/secret-path';

describe('channels', () => {
  let server: Server;
  let url: string;
  let status = 200;
  const bodies: Record<string, unknown>[] = [];
  const { signal } = new AbortController();

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    status = 200;
    bodies.length = 0;
  });

  const opened = (...more: readonly Channel[]): Notifications =>
    createNotifications([
      { name: 'hook', type: 'webhook', events: ['recovery'], url: createSecret(url) },
      { name: 'chat', type: 'slack', events: ['failure'], url: createSecret(url) },
      { name: 'pager', type: 'pagerduty', events: ['recovery'], routingKey: createSecret('routing-key'), url },
      { name: 'mail', type: 'email', events: ['recovery'] },
      ...more,
    ]);

  test('of an event are those that want to hear of it; email is not among them', () => {
    expect(opened().choose({ event: 'recovery' })).toEqual(['hook', 'pager']);
    expect(opened().choose(['chat'])).toEqual(['chat']);
    expect(() => opened().choose(['mail'])).toThrow('email is not sent in this version');
    expect(() => opened().choose(['nobody'])).toThrow('not configured');
  });

  test('each get what their kind understands', async () => {
    for (const name of ['hook', 'chat', 'pager']) await opened().tell(name, MESSAGE, signal);
    expect(bodies).toEqual([
      { event: 'recovery', ...MESSAGE },
      { text: '*Recovered*\nall of it\n• run: run-1\n• plan: p' },
      {
        routing_key: 'routing-key',
        event_action: 'trigger',
        dedup_key: 'run-1',
        payload: {
          summary: 'Recovered: all of it',
          source: 'lifeboat',
          severity: 'info',
          custom_details: MESSAGE.facts,
        },
      },
    ]);
  });

  test('that refuse or do not answer are named, and their URL is not', async () => {
    status = 500;
    const refused = await caught(async () => opened().tell('hook', MESSAGE, signal));
    const nowhere = createSecret(`http://127.0.0.1:1${PATH}`);
    const gone: Channel = { name: 'gone', type: 'webhook', events: [], url: nowhere };
    const silent = await caught(async () => opened(gone).tell('gone', MESSAGE, signal));
    expect([refused.message, silent.message]).toEqual([
      'tell channel hook: status 500',
      expect.stringMatching(/^tell channel gone: /),
    ]);
    for (const { code, message, details, cause } of [refused, silent]) {
      expect(code).toBe('NOTIFICATION_FAILED');
      expect(JSON.stringify([message, details, String(cause)])).not.toContain('secret-path');
    }
  });
});
