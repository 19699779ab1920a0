import * as z from 'zod';
import { parseDuration } from '../../domain/duration.ts';
import { isSecret, type Secret } from '../../domain/secret.ts';
import { parseSize } from '../size.ts';

/**
 * What a value means beyond its JSON type. `secret` and `secretUrl` take a reference (`{"env": …}`, `{"file": …}`) and
 * are resolved before validation; `path` is made absolute after it; `program` is a path or a name on PATH.
 */
export type LeafKind = 'path' | 'program' | 'secret' | 'secretUrl' | 'duration' | 'size';

/** Kinds by schema; a wrapper such as `.optional()` is looked through by walk.ts. */
export const leafKinds = z.registry<{ readonly kind: LeafKind }>();

const secretSchema = (kind: LeafKind): z.ZodCustom<Secret, Secret> =>
  z.custom<Secret>(isSecret, 'expected text, {"env": "NAME"} or {"file": "PATH"}').register(leafKinds, { kind });

/** A password or key; a literal is allowed, with a warning. */
export const secret = (): z.ZodCustom<Secret, Secret> => secretSchema('secret');

/** A URL that may carry a password; shown without it. */
export const secretUrl = (): z.ZodCustom<Secret, Secret> => secretSchema('secretUrl');

/** A file or folder; relative ones start at the folder in which the program runs. */
export const path = (): z.ZodString => z.string().min(1).register(leafKinds, { kind: 'path' });

/** A program: a name on PATH, or a path when it has a slash. */
export const program = (): z.ZodString => z.string().min(1).register(leafKinds, { kind: 'program' });

/** A duration that is kept as it was written; domain/duration.ts gives its milliseconds. */
export const duration = (): z.ZodString =>
  z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'expected a duration such as 90s, 6h, 1d12h or PT6H')
    .register(leafKinds, { kind: 'duration' });

/** Bytes: a number, or text with a unit. Comes out as a number. */
export const size = (): z.ZodPipe<
  z.ZodUnion<readonly [z.ZodInt, z.ZodString]>,
  z.ZodTransform<number, string | number>
> =>
  z
    .union([z.int().nonnegative(), z.string()], 'expected bytes, or a size such as 256MiB')
    .transform((value, context) => {
      const bytes = typeof value === 'number' ? value : parseSize(value);
      if (bytes === undefined)
        context.issues.push({ code: 'custom', message: 'expected a size such as 256MiB', input: value });
      return bytes ?? 0;
    })
    .register(leafKinds, { kind: 'size' });

/** A count of something. */
export const count = (minimum = 0): z.ZodInt => z.int().min(minimum);

/** Names that become parts of keys, URLs and workflow ids. */
export const name = (): z.ZodString =>
  z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected a name of a-z, 0-9 and -, at most 63 long');
