import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly isEncrypted: boolean;
  readonly user: string;
  /** Headers and text as they came. */
  readonly raw: string;
}

/** A real SMTP server on a free port that keeps what it is sent; takes one user, or nobody's word where `login` is null. */
export async function startMailServer(
  options: SMTPServerOptions & { readonly login?: { readonly user: string; readonly password: string } },
): Promise<{ readonly port: number; readonly mails: Mail[]; stop(): Promise<void> }> {
  const { login, ...settings } = options;
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...settings,
    authOptional: login === undefined,
    onAuth({ username, password }, _session, callback) {
      if (username === login?.user && password === login?.password) callback(null, { user: username });
      else callback(new Error('wrong'));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          isEncrypted: session.secure,
          user: session.user ?? '',
          raw: Buffer.concat(chunks).toString('utf8'),
        });
        callback();
      });
    },
  });
  // A client that refuses its certificate is what some tests want.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return { port, mails, stop: async () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
