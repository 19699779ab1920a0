import type { Environment } from '../config/environment.ts';
import type { TextStream } from './output.ts';

/** What the program needs of its surroundings; a parameter, so that tests can run it in their own process. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: TextStream;
  readonly stderr: TextStream & { readonly columns?: number };
}
