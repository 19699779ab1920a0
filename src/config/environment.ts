/** Environment variables by name; a parameter everywhere, so that tests need not touch the real ones. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The process's own environment. Besides platform/environment.ts the only place that reads it. */
export function processEnvironment(): Environment {
  return process.env;
}
