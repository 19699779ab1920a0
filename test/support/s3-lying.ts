/** An HTTP server before an S3 server that says yes to what the server refuses: conditions, checksums, keys. */
import { createServer, request as ask, type IncomingHttpHeaders } from 'node:http';

export interface LyingS3 {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Passes every request on; where the server refuses one that changes something with this status, it says that all went well. */
export async function startLyingS3(port: number, lie: { readonly onRefused: number }): Promise<LyingS3> {
  const server = createServer((incoming, answer) => {
    const { method, url, headers } = incoming;
    const onward = ask({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
      const isRefused = reply.statusCode === lie.onRefused && method !== 'GET' && method !== 'HEAD';
      answer.writeHead(isRefused ? 200 : (reply.statusCode ?? 502), isRefused ? lies(reply.headers) : reply.headers);
      if (!isRefused) return reply.pipe(answer);
      reply.resume();
      return answer.end();
    });
    incoming.pipe(onward);
    onward.on('error', () => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function lies(headers: IncomingHttpHeaders): Record<string, string> {
  return { etag: '"00000000000000000000000000000000"', 'x-amz-request-id': String(headers['x-amz-request-id'] ?? '') };
}
