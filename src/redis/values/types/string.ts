import { ByteCursor } from '../encodings/byte-cursor.ts';

/** The bytes of a string value (type 0). */
export function stringValue(body: Buffer): Buffer {
  const cursor = new ByteCursor(body);
  const value = cursor.string();
  cursor.finish();
  return value;
}
