import pino from 'pino';
import type { Logger as TemporalLogger, LogLevel, LogMetadata } from '@temporalio/worker';

/** Log lines of a worker: JSON on stderr and in the log file. */
export interface WorkerLog {
  info(message: string, facts: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts: Readonly<Record<string, unknown>>): void;
  /** The same log for Temporal's SDK. */
  readonly forTemporal: TemporalLogger;
}

/** Facts of Temporal's own lines that only a debugger of the SDK wants. */
const NOISE = new Set(['taskToken', 'sdkComponent', 'isLocal', 'namespace']);

export function createWorkerLog(settings: { readonly level: pino.LevelWithSilent; readonly path: string }): WorkerLog {
  const streams = [
    { stream: process.stderr },
    { stream: pino.destination({ dest: settings.path, mkdir: true, sync: false }) },
  ];
  const { level } = settings;
  const log = pino(
    { base: { pid: process.pid }, level, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(streams.map((entry) => ({ ...entry, level: 'debug' as const }))),
  );
  const write = (at: 'debug' | 'info' | 'warn' | 'error', message: string, facts: object = {}): void => {
    log[at](Object.fromEntries(Object.entries(facts).filter(([name]) => !NOISE.has(name))), message);
  };
  const at: Record<LogLevel, 'debug' | 'info' | 'warn' | 'error'> = {
    TRACE: 'debug',
    DEBUG: 'debug',
    INFO: 'info',
    WARN: 'warn',
    ERROR: 'error',
  };
  return {
    info: (message, facts) => write('info', message, facts),
    warn: (message, facts) => write('warn', message, facts),
    forTemporal: {
      log: (sdkLevel: LogLevel, message: string, meta?: LogMetadata) => write(at[sdkLevel], message, meta),
      trace: (message: string, meta?: LogMetadata) => write('debug', message, meta),
      debug: (message: string, meta?: LogMetadata) => write('debug', message, meta),
      info: (message: string, meta?: LogMetadata) => write('info', message, meta),
      warn: (message: string, meta?: LogMetadata) => write('warn', message, meta),
      error: (message: string, meta?: LogMetadata) => write('error', message, meta),
    },
  };
}
