/** A program that uses the databases, and how it is stopped and started. */
export interface ServiceDefinition {
  readonly name: string;
  readonly stop: ServiceCommand;
  readonly start: ServiceCommand;
  /** How long each command may take. */
  readonly timeoutMs: number;
}

/** Program and arguments, or a line for `/bin/sh -c`. */
export type ServiceCommand = string | readonly string[];

/** What one command did; small enough for a history. */
export interface ServiceOutcome {
  readonly name: string;
  readonly action: 'stop' | 'start';
  readonly durationMs: number;
  /** Last line of the command's output, where it gave one. */
  readonly lastLine: string;
}

/**
 * Stops and starts the configured services. Both are safe to repeat as far as the user's commands are.
 * Rejects with SERVICE_COMMAND_FAILED, SERVICE_COMMAND_TIMED_OUT, SERVICE_UNKNOWN, TOOL_MISSING.
 */
export interface Services {
  /** In the order in which they stop. */
  readonly names: readonly string[];
  stop(name: string, signal: AbortSignal): Promise<ServiceOutcome>;
  start(name: string, signal: AbortSignal): Promise<ServiceOutcome>;
}
