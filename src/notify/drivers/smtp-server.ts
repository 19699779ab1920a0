import { notTold } from '../not-told.ts';
import type { EmailSettings } from '../notify.ts';

/** A server that does not answer in this time is not waited for; of each step of the conversation. */
const ANSWER_TIMEOUT_MS = 15_000;
const PORTS: Readonly<Record<string, number>> = { 'smtps:': 465, 'smtp:': 587 };

/** A mail server, as nodemailer takes it. */
interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly requireTLS: boolean;
  readonly ignoreTLS: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
  readonly connectionTimeout: number;
  readonly greetingTimeout: number;
  readonly socketTimeout: number;
}

/** Of a channel's URL. @throws LifeboatError NOTIFICATION_FAILED where it is none */
export function serverOf(name: string, { smtpUrl, tls }: EmailSettings): MailServer {
  const text = smtpUrl.reveal();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const port = PORTS[url?.protocol ?? ''];
  if (url === undefined || port === undefined || url.hostname === '') {
    throw notTold(name, 'smtpUrl is not smtps://host or smtp://host');
  }
  const secure = url.protocol === 'smtps:';
  const login = { user: decoded(name, url.username), pass: decoded(name, url.password) };
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: url.port === '' ? port : Number(url.port),
    secure,
    requireTLS: !secure && tls === 'required',
    ignoreTLS: !secure && tls === 'none',
    ...(url.username === '' ? {} : { auth: login }),
    connectionTimeout: ANSWER_TIMEOUT_MS,
    greetingTimeout: ANSWER_TIMEOUT_MS,
    socketTimeout: ANSWER_TIMEOUT_MS,
  };
}

function decoded(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // What it could not read is a part of a password.
    throw notTold(name, 'a % in the user or password of smtpUrl is not written as %25');
  }
}
