import { systemErrorCode } from '../platform/system-error.ts';
import { notTold } from './not-told.ts';

/** A server that takes no message in this time is not waited for. */
const ANSWER_TIMEOUT_MS = 15_000;

/** Posts one JSON document. @throws LifeboatError NOTIFICATION_FAILED, without the URL, which may be a secret */
export async function postJson(
  channel: string,
  { url, body }: { readonly url: string; readonly body: object },
  signal: AbortSignal,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  const headers = { 'content-type': 'application/json' };
  let status: number;
  try {
    const text = JSON.stringify(body);
    const response = await fetch(url, { method: 'POST', headers, body: text, redirect: 'error', signal: limited });
    ({ status } = response);
    await response.body?.cancel();
  } catch (error) {
    signal.throwIfAborted();
    throw notTold(channel, limited.aborted ? `no answer in ${ANSWER_TIMEOUT_MS / 1_000} s` : reasonOf(error));
  }
  if (status < 200 || status >= 300) throw notTold(channel, `status ${status}`);
}

/** The system's code where there is one: `ECONNREFUSED`. */
function reasonOf(error: unknown): string {
  return systemErrorCode(error instanceof Error ? error.cause : undefined) ?? 'the request was refused';
}
