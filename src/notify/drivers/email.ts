import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { createTransport } from 'nodemailer';
import type { Message } from '../../domain/message.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import { notTold } from '../not-told.ts';
import type { Driver, EmailSettings } from '../notify.ts';
import { serverOf } from './smtp-server.ts';

/**
 * Sends by SMTP: TLS from the start with `smtps://`, STARTTLS that may not be left out with `smtp://`. All notices of one occurrence refer to the first, so that
 * mail programs show them as one conversation; a message that is sent twice has the same Message-ID.
 */
export function createEmailChannel(name: string, settings: EmailSettings): Driver {
  return async (message, signal) => {
    signal.throwIfAborted();
    const transport = createTransport({ ...serverOf(name, settings), tls: await authorities(name, settings) });
    const stop = (): void => transport.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await transport.sendMail(mailOf(message, settings));
    } catch (error) {
      signal.throwIfAborted();
      throw notTold(name, reasonOf(error));
    } finally {
      signal.removeEventListener('abort', stop);
      transport.close();
    }
  };
}

async function authorities(name: string, { caPath }: EmailSettings): Promise<{ readonly ca?: string }> {
  if (caPath === undefined) return {};
  const ca = await readFile(caPath, 'utf8').catch((error: unknown) => {
    throw notTold(name, `read ${caPath}: ${systemErrorCode(error) ?? 'not readable'}`);
  });
  return { ca };
}

function mailOf({ title, text, facts, notice }: Message, { from, to }: EmailSettings): object {
  const lines = Object.entries(facts).map(([fact, value]) => `${fact}: ${value}`);
  const first = notice && messageId(`${notice.occurrence}/fire`);
  const own = notice && messageId(notice.id);
  return {
    from,
    to: [...to],
    subject: title,
    text: [text, '', ...lines, ''].join('\n'),
    ...(own === undefined ? {} : { messageId: own }),
    ...(first === undefined || first === own ? {} : { inReplyTo: first, references: first }),
    // So that nobody's absence note answers: RFC 3834.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

function messageId(of: string): string {
  return `<${createHash('sha256').update(of).digest('hex').slice(0, 32)}@${hostname()}>`;
}

/** Codes and the server's number alone: what it says may repeat what it was told. */
function reasonOf(error: unknown): string {
  const code = systemErrorCode(error) ?? 'ESEND';
  const answered: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'responseCode') : undefined;
  return typeof answered === 'number' ? `${code}, the server answered ${answered}` : code;
}
