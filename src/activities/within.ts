import { type ErrorCode, LifeboatError } from '../domain/errors.ts';

/** Gives up waiting after a time: what does not answer may go on trying by itself for minutes. @throws LifeboatError `code` */
export async function within<T>(
  limitMs: number,
  { doing, code = 'STORE_IO' }: { readonly doing: string; readonly code?: ErrorCode },
  work: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LifeboatError(code, `${doing}: no answer in ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
