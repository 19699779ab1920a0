import { ByteCursor } from './encodings/byte-cursor.ts';
import { corrupt } from './encodings/corrupt.ts';

/** FUNCTION2 of rdb.h: the opcode that begins each library in an RDB file and in the payload of FUNCTION DUMP. */
export const FUNCTION_OPCODE = 245;

/** Libraries of a FUNCTION DUMP payload, without its version and checksum. */
export function functionLibraries(body: Buffer): Buffer[] {
  const cursor = new ByteCursor(body);
  const libraries: Buffer[] = [];
  while (cursor.position < body.length) {
    const opcode = cursor.byte();
    if (opcode !== FUNCTION_OPCODE) corrupt('functions', `opcode ${opcode}`);
    libraries.push(cursor.string());
  }
  return libraries;
}

/** Name of a library: it stands in the first line of its code, `#!lua name=sessions`. */
export function libraryName(code: Buffer): string {
  const end = code.indexOf(10);
  const firstLine = code.toString('utf8', 0, end < 0 ? code.length : end);
  return /\bname=(\S+)/.exec(firstLine)?.[1] ?? corrupt('functions', 'a library without a name');
}
