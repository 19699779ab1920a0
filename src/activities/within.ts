import { LifeboatError } from '../domain/errors.ts';

/** Gives up waiting after a time: a store that does not answer may go on trying by itself for minutes. @throws LifeboatError STORE_IO */
export async function within<T>(limitMs: number, doing: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new LifeboatError('STORE_IO', `${doing}: no answer in ${limitMs / 1_000} s`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
