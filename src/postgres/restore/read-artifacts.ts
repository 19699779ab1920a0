import { LifeboatError } from '../../domain/errors.ts';
import { databaseFactsSchema, type DatabaseFacts } from '../facts/database-facts.ts';

/** Roles and facts are small next to data: 100 000 tables make about 20 MB. Beyond this something is wrong. */
const MAX_DOCUMENT_BYTES = 512 * 1_024 * 1_024;

/** @throws LifeboatError POSTGRES_FACTS_INVALID */
export async function readText(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > MAX_DOCUMENT_BYTES)
      throw new LifeboatError('POSTGRES_FACTS_INVALID', `a document of more than ${MAX_DOCUMENT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The artifact `facts`, checked. @throws LifeboatError POSTGRES_FACTS_INVALID */
export async function readFacts(source: AsyncIterable<Uint8Array>): Promise<DatabaseFacts> {
  const parsed = databaseFactsSchema.safeParse(parseJson(await readText(source)));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LifeboatError('POSTGRES_FACTS_INVALID', `read the facts: ${issue?.path.join('.')}: ${issue?.message}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LifeboatError('POSTGRES_FACTS_INVALID', 'read the facts: not JSON', { cause: error });
  }
}
