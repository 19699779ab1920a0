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
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  modulePathIgnorePatterns: ['<rootDir>/.lifeboat', '<rootDir>/dist'],
  transform,
});

export default {
  projects: ['unit', 'contract', 'workflow', 'replay', 'architecture', 'integration', 'chaos'].map(project),
  testTimeout: 120_000,
};
