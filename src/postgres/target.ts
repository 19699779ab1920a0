/** Where a server is and how to get in. `password` never leaves the process except through a 0600 passfile. */
export interface PostgresTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  readonly ssl?: {
    readonly mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
    readonly caPath?: string;
  };
}

/** Gives an artifact of the backup that is restored: bytes as the producer gave them. */
export type ArtifactSource = (name: string) => AsyncIterable<Uint8Array>;
