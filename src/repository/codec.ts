/** How the objects of one backup are made; fixed when it begins and recorded in its manifest. */
export interface Codec {
  readonly compression: 'zstd' | 'none';
  /** zstd level, 1–19; ignored when compression is `none`. */
  readonly compressionLevel: number;
  readonly encryption: 'aes-256-gcm' | 'none';
}
