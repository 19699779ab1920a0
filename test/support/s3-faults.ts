/** An HTTP proxy before an S3 server that answers with the troubles of networks and overloaded servers, request by request. */
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Throttle } from './s3-throttle.ts';

export interface S3Request {
  readonly operation:
    | 'create'
    | 'part'
    | 'complete'
    | 'abort'
    | 'uploads'
    | 'list'
    | 'put'
    | 'get'
    | 'head'
    | 'delete'
    | 'other';
  /** Of a part, from 1. */
  readonly part: number;
  readonly key: string;
}

export type Fault =
  | { readonly kind: 'pass' }
  /** The connection is reset before the server sees the request. */
  | { readonly kind: 'reset' }
  /** The server does it, and the connection is reset before its answer. */
  | { readonly kind: 'lost answer' }
  /** An error of the protocol, with the server's usual XML. */
  | { readonly kind: 'error'; readonly status: number; readonly code: string }
  /** The body of the answer is cut after so many bytes. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Nothing ever comes. */
  | { readonly kind: 'hang' }
  /** Both ways at so many bytes a second. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

export interface S3Faults {
  readonly endpoint: string;
  /** Decides what happens to each request from now on. */
  plan(decide: (request: S3Request) => Fault): void;
  /** Every request since the start, in the order of arrival. */
  readonly seen: readonly S3Request[];
  close(): Promise<void>;
}

export const PASS: Fault = { kind: 'pass' };

export async function startS3Faults(port: number): Promise<S3Faults> {
  let decide: (request: S3Request) => Fault = () => PASS;
  const seen: S3Request[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, answer) => {
    const request = describeRequest(incoming);
    seen.push(request);
    handle(decide(request), incoming, { answer, port });
  });
  server.on('connection', (socket) => {
    // One line carries many requests, each of which waits for its end.
    socket.setMaxListeners(0);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    plan: (next) => void (decide = next),
    seen,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function describeRequest({ method = '', url = '' }: IncomingMessage): S3Request {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const part = Number(searchParams.get('partNumber') ?? 0);
  return { operation: operationOf(method, searchParams), part, key: pathname };
}

function operationOf(method: string, query: URLSearchParams): S3Request['operation'] {
  if (method === 'POST') return query.has('uploads') ? 'create' : 'complete';
  if (method === 'PUT') return query.has('partNumber') ? 'part' : 'put';
  if (method === 'DELETE') return query.has('uploadId') ? 'abort' : 'delete';
  if (method === 'HEAD') return 'head';
  if (method !== 'GET') return 'other';
  if (query.has('uploads')) return 'uploads';
  return query.has('list-type') ? 'list' : 'get';
}

interface Ends {
  readonly answer: ServerResponse;
  readonly port: number;
}

function handle(fault: Fault, incoming: IncomingMessage, { answer, port }: Ends): void {
  if (fault.kind === 'reset') {
    incoming.socket.resetAndDestroy();
    return;
  }
  if (fault.kind !== 'hang' && fault.kind !== 'error') return forward(fault, incoming, { answer, port });
  incoming.resume();
  if (fault.kind === 'error') incoming.once('end', () => sendError(answer, fault));
}

function sendError(answer: ServerResponse, { status, code }: { readonly status: number; readonly code: string }): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>planted</Message></Error>`;
  answer.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }).end(body);
}

/** The server gets the request as it came, with its Host: the signature covers it. */
function forward(fault: Fault, incoming: IncomingMessage, { answer, port }: Ends): void {
  const { method, url, headers } = incoming;
  const onward = ask({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
    if (fault.kind === 'lost answer') {
      reply.resume();
      reply.once('end', () => incoming.socket.resetAndDestroy());
      return;
    }
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    if (fault.kind === 'cut') return cut(reply, answer, fault.afterBytes);
    paced(reply, fault).pipe(answer);
  });
  // One end went away: so does the other, as on a real line.
  onward.on('error', () => incoming.socket.destroy());
  incoming.socket.once('close', () => onward.destroy());
  paced(incoming, fault).pipe(onward);
}

function paced(source: IncomingMessage, fault: Fault): NodeJS.ReadableStream {
  return fault.kind === 'slow' ? source.pipe(new Throttle(fault.bytesPerSecond)) : source;
}

function cut(reply: IncomingMessage, answer: ServerResponse, afterBytes: number): void {
  let left = afterBytes;
  reply.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    answer.write(part, () => {
      if (left === 0) answer.socket?.destroy();
    });
  });
}
