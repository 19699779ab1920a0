import { connect } from 'node:net';
import { jsonPage, serve, type Endpoint } from '../../../src/monitoring/endpoint.ts';
import { type Monitor, openMonitor } from '../../../src/monitoring/monitor.ts';
import type { Look, Source } from '../../../src/monitoring/sample.ts';
import { readMetrics } from '../../support/metrics-text.ts';

const HERE = { host: '127.0.0.1', port: 0 };

describe('the endpoint', () => {
  let endpoint: Endpoint;
  beforeAll(async () => {
    const pages = {
      '/well': () => jsonPage(200, { well: true }),
      '/broken': () => {
        throw new Error('broken');
      },
    };
    endpoint = await serve(pages, HERE);
  });
  afterAll(async () => endpoint.close());
  const get = async (path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://127.0.0.1:${endpoint.port}${path}`, { method });

  test('gives a page, with or without a question behind it, and lets go', async () => {
    const answer = await get('/well?x=1');
    expect([answer.status, await answer.json()]).toEqual([200, { well: true }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('connection')).toBe('close');
  });

  test('gives HEAD no body', async () => {
    const answer = await get('/well', 'HEAD');
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  test.each(['POST', 'PUT', 'DELETE'])('takes no %s', async (method) => {
    const answer = await get('/well', method);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test.each(['/', '/nowhere', '/toString', '/__proto__', '/../well/x'])('has nothing at %s', async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  test('says that a page is broken, and goes on', async () => {
    expect((await get('/broken')).status).toBe(500);
    expect((await get('/well')).status).toBe(200);
  });

  test('lets go of who says what is no HTTP', async () => {
    const socket = connect(endpoint.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('what is this\r\n\r\n');
    socket.resume();
    await closed;
    expect((await get('/well')).status).toBe(200);
  });

  test('does not begin where somebody listens', async () => {
    await expect(serve({}, { host: '127.0.0.1', port: endpoint.port })).rejects.toMatchObject({
      code: 'MONITORING_PORT_IN_USE',
    });
  });

  test('does not begin at an address of another machine', async () => {
    await expect(serve({}, { host: '192.0.2.1', port: 0 })).rejects.toMatchObject({ code: 'MONITORING_NOT_LISTENING' });
  });
});

describe('a monitor', () => {
  let monitor: Monitor;
  let looks: readonly Look[] = [];
  let looked = 0;
  const source: Source = {
    name: 'databases',
    everyMs: 1,
    isCostly: false,
    sample: async () => ((looked += 1), { looks }),
  };
  beforeAll(async () => {
    monitor = await openMonitor({
      ...HERE,
      group: 'auth',
      roles: ['data'],
      version: '1.2.3',
      objectives: { rpo: 60 },
      sources: () => [source],
      onChange: () => undefined,
    });
  });
  afterAll(async () => monitor.close());
  const get = async (path: string): Promise<Response> => fetch(`http://127.0.0.1:${monitor.port}${path}`);
  const ready = async (): Promise<{ status: number; state: string }> => {
    const answer = await get('/readyz');
    return { status: answer.status, state: ((await answer.json()) as { state: string }).state };
  };
  const look = async (found: readonly Look[]): Promise<void> => {
    looks = found;
    // Two more: the first may have begun before.
    for (const before = looked; looked < before + 2;) await new Promise((resolve) => setTimeout(resolve, 2));
  };

  test('is not ready while its worker waits, and says why', async () => {
    monitor.enter('waiting', 'connect to temporal: no answer');
    const answer = await get('/readyz');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({
        ready: false,
        state: 'waiting',
        group: 'auth',
        roles: ['data'],
        temporal: { phase: 'waiting', since: expect.any(String), problem: 'connect to temporal: no answer' },
      }),
    ]);
    expect((await get('/healthz')).status).toBe(200);
  });

  test('is ready once it polls, degraded without a database, disconnected without temporal', async () => {
    monitor.enter('polling');
    expect(await ready()).toEqual({ status: 200, state: 'ready' });
    const temporal: Look = { what: 'temporal', name: 'temporal', up: true, problem: null };
    const redis: Look = { what: 'database', name: 'redis', up: false, problem: 'REDIS_UNREACHABLE: refused' };
    await look([temporal, redis]);
    expect(await ready()).toEqual({ status: 200, state: 'degraded' });
    await look([{ ...temporal, up: false, problem: 'no answer' }, redis]);
    const answer = await get('/readyz');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({
        state: 'disconnected',
        databases: { redis: { up: false, problem: 'REDIS_UNREACHABLE: refused' } },
        samples: { databases: { at: expect.any(String), error: null } },
      }),
    ]);
    monitor.enter('ended');
    expect(await ready()).toEqual({ status: 503, state: 'ended' });
  });

  test('says which worker it is, and what is wanted of the group', async () => {
    const series = readMetrics(await (await get('/metrics')).text());
    expect(series.value('lifeboat_worker_info', { group: 'auth', version: '1.2.3', roles: 'data' })).toBe(1);
    expect(series.value('lifeboat_objective_seconds', { objective: 'rpo' })).toBe(60);
    expect(series.has('process_resident_memory_bytes')).toBe(true);
  });
});

test('nothing is looked at because somebody asks', async () => {
  let looked = 0;
  const source: Source = {
    name: 'stores',
    everyMs: 3_600_000,
    isCostly: false,
    sample: async () => ((looked += 1), {}),
  };
  const about = { group: 'auth', roles: [], version: '1.2.3', objectives: {}, onChange: () => undefined };
  const monitor = await openMonitor({ ...HERE, ...about, sources: () => [source] });
  try {
    for (const path of ['/metrics', '/readyz', '/healthz', '/metrics'])
      await (await fetch(`http://127.0.0.1:${monitor.port}${path}`)).text();
    expect(looked).toBe(1);
  } finally {
    await monitor.close();
  }
});
