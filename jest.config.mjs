const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' }, sourceMaps: 'inline' },
  ],
};

/** One project per test folder: what each proves is in CONTRIBUTING.md. */
const project = (displayName) => ({
  displayName,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // Only these are searched; without it the folders of packages and servers are, once for each project.
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  // Kept with the packages, so that it lasts as long as they do and a second run transforms nothing again.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  modulePathIgnorePatterns: ['<rootDir>/.lifeboat', '<rootDir>/dist'],
  transform,
});

export default {
  projects: ['unit', 'contract', 'workflow', 'replay', 'architecture', 'integration', 'chaos'].map(project),
  testTimeout: 240_000,
  testSequencer: '<rootDir>/test/support/longest-first.mjs',
};
