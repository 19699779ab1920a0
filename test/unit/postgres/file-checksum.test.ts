import { CHECKSUM_KINDS, createFileChecksum } from '../../../src/postgres/physical/file-checksum.ts';

const text = Buffer.from('123456789');

test('a CRC-32C is the one of RFC 3720, written with its lowest byte first as PostgreSQL does', () => {
  const checksum = createFileChecksum('CRC32C');
  checksum.update(text);
  expect(checksum.digest()).toBe('839206e3');
});

test.each(CHECKSUM_KINDS)('%s is the same whatever the pieces are, and another for another byte', (kind) => {
  const ofPieces = (...pieces: Uint8Array[]): string => {
    const checksum = createFileChecksum(kind);
    for (const piece of pieces) checksum.update(piece);
    return checksum.digest();
  };
  const whole = ofPieces(text);
  expect(ofPieces(...Array.from(text, (byte) => Uint8Array.of(byte)))).toBe(whole);
  expect(ofPieces(Buffer.from('123456788'))).not.toBe(whole);
});
