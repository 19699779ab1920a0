import { LifeboatError } from '../../domain/errors.ts';
import { parseSignature, signerOf, UNTRUSTED_COMMENT } from '../../encryption/minisign.ts';
import type { RepositoryContext } from '../context.ts';
import { signatureKey } from '../layout.ts';
import { readSmallObject } from '../small-object.ts';

/**
 * Is the manifest signed by a key that counts? `false` where no key is configured at all: then nobody can tell.
 * MANIFEST_SIGNATURE_INVALID when it is altered, unsigned, or signed by another key.
 */
export async function requireTrusted(context: RepositoryContext, backupId: string, manifest: Buffer): Promise<boolean> {
  if (context.trustedKeys.length === 0) return false;
  const text = await readSmallObject(context.store, signatureKey(backupId));
  if (text === undefined) throw invalid(backupId, 'not signed');
  const signature = parseSignature(text.toString('utf8'));
  if (signature === undefined) throw invalid(backupId, "its signature is not in minisign's format");
  if (!context.trustedKeys.some(({ id }) => id === signature.keyId)) {
    throw invalid(backupId, `signed by key ${signature.keyId}, which is not trusted`);
  }
  if (signerOf(manifest, signature, context.trustedKeys) === undefined) {
    throw invalid(backupId, `altered after key ${signature.keyId} signed it`);
  }
  return true;
}

/** The signature's first line is signed by nobody; a change there is still one that we did not make. */
export async function untrustedCommentIsOurs(context: RepositoryContext, backupId: string): Promise<boolean> {
  const text = await readSmallObject(context.store, signatureKey(backupId));
  return text === undefined || text.toString('utf8').startsWith(`${UNTRUSTED_COMMENT}\n`);
}

function invalid(backupId: string, what: string): LifeboatError {
  return new LifeboatError('MANIFEST_SIGNATURE_INVALID', `manifest of ${backupId}: ${what}`, { details: { backupId } });
}
