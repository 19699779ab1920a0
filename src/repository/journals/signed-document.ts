import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import { parseSignature, signerOf, UNTRUSTED_COMMENT } from '../../encryption/minisign.ts';
import type { Signer } from '../../encryption/signer.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { RepositoryContext } from '../context.ts';
import { wrongFields } from '../manifest/manifest-schema.ts';
import { parseJson, sha256Of } from '../small-object.ts';

/**
 * A document that carries its signature, so that one write replaces both: `{document, sha256, signature}` in canonical form.
 * The signature is a minisign text over the canonical bytes of `document`; null where no signing key is configured.
 * `sha256` is over the canonical form of the rest: it finds damage where nobody signs, and proves nothing.
 */
const ENVELOPE = z.strictObject({ document: z.unknown(), sha256: z.string(), signature: z.string().nullable() });

export function signDocument(signer: Signer | undefined, document: unknown, comment: string): Buffer {
  const signed = canonicalJson(document);
  return envelopeOf(signed, signer?.sign(signed, comment) ?? null);
}

/** The document, when it is in canonical form, signed by a trusted key where there are any, and of its shape. @throws JOURNAL_DAMAGED */
export function openDocument<T>(
  context: Pick<RepositoryContext, 'trustedKeys'>,
  { key, bytes, shape }: { readonly key: string; readonly bytes: Buffer; readonly shape: z.ZodType<T> },
): T {
  const envelope = ENVELOPE.safeParse(parseJson(bytes)).data;
  if (envelope === undefined) throw damaged(key, 'not as it is written');
  const signed = canonicalJson(envelope.document);
  requireSigned(context, key, { signed, text: envelope.signature });
  if (!envelopeOf(signed, envelope.signature).equals(bytes)) throw damaged(key, 'altered after it was written');
  const document = shape.safeParse(envelope.document);
  if (!document.success) throw damaged(key, `not as documented: ${wrongFields(document.error)}`);
  return document.data;
}

/** As `openDocument`; undefined for what is altered, or signed by nobody we trust, as if it were not there. */
export function openTrusted<T>(...asked: Parameters<typeof openDocument<T>>): T | undefined {
  try {
    return openDocument(...asked);
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'JOURNAL_DAMAGED') return undefined;
    throw error;
  }
}

/** Canonical form from the canonical form of its largest part, which is made once: a catalog reads thousands of them. */
function envelopeOf(signed: Buffer, signature: string | null): Buffer {
  const document = signed.subarray(0, -1).toString('utf8');
  const text = JSON.stringify(signature);
  const sha256 = sha256Of(Buffer.from(`{"document":${document},"signature":${text}}\n`));
  return Buffer.from(`{"document":${document},"sha256":"${sha256}","signature":${text}}\n`);
}

function requireSigned(
  { trustedKeys }: Pick<RepositoryContext, 'trustedKeys'>,
  key: string,
  { signed, text }: { readonly signed: Buffer; readonly text: string | null },
): void {
  if (trustedKeys.length === 0) return;
  if (text === null) throw damaged(key, 'not signed');
  const signature = parseSignature(text);
  // The first line is signed by nobody; a change there is still one that we did not make.
  if (signature === undefined || !text.startsWith(`${UNTRUSTED_COMMENT}\n`)) {
    throw damaged(key, "its signature is not in minisign's format");
  }
  if (!trustedKeys.some(({ id }) => id === signature.keyId)) {
    throw damaged(key, `signed by key ${signature.keyId}, which is not trusted`);
  }
  if (signerOf(signed, signature, trustedKeys) === undefined) {
    throw damaged(key, `altered after key ${signature.keyId} signed it`);
  }
}

export function damaged(key: string, what: string): LifeboatError {
  return new LifeboatError('JOURNAL_DAMAGED', `${key}: ${what}`, { details: { key } });
}
