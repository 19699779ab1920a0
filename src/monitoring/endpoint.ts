import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LifeboatError, messageOf } from '../domain/errors.ts';
import { systemErrorCode } from '../platform/system-error.ts';

/** Readers at once: a few probes and scrapes, never enough to keep the worker from its work. */
const MAX_CONNECTIONS = 32;
/** A reader that does not ask, or does not take its answer, is let go. */
const PATIENCE_MS = 10_000;

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Pages by path. Each answers from what is known already. */
export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

export interface Endpoint {
  /** Where it listens, also where port 0 was asked for. */
  readonly port: number;
  close(): Promise<void>;
}

/** A page of JSON. */
export function jsonPage(status: number, value: unknown): Page {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value, null, 2)}\n` };
}

/**
 * Serves pages to be read: GET and HEAD, no other method, no input.
 * @throws LifeboatError MONITORING_PORT_IN_USE, MONITORING_NOT_LISTENING
 */
export async function serve(pages: Pages, where: { readonly host: string; readonly port: number }): Promise<Endpoint> {
  const server = createServer((request, response) => void answer(pages, request, response));
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = PATIENCE_MS;
  server.requestTimeout = PATIENCE_MS;
  server.setTimeout(PATIENCE_MS);
  await listen(server, where);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : where.port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(pages: Pages, { method, url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, type, body } = await pageOf(pages, method, url);
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(method === 'HEAD' ? undefined : body);
}

async function pageOf(pages: Pages, method: string | undefined, url: string): Promise<Page> {
  if (method !== 'GET' && method !== 'HEAD') return jsonPage(405, { error: 'GET and HEAD only' });
  const [path = ''] = url.split('?');
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return jsonPage(404, { error: 'not found', pages: Object.keys(pages) });
  try {
    return await page();
  } catch (error) {
    return jsonPage(500, { error: messageOf(error) });
  }
}

async function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
  } catch (cause) {
    const isTaken = systemErrorCode(cause) === 'EADDRINUSE';
    const code = isTaken ? 'MONITORING_PORT_IN_USE' : 'MONITORING_NOT_LISTENING';
    throw new LifeboatError(code, `listen at ${host}:${port} for health and metrics: ${messageOf(cause)}`, { cause });
  }
  // A connection that goes wrong ends by itself.
  server.on('error', () => undefined);
}
