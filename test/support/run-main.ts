import { main } from '../../src/cli/main.ts';

export interface MainResult {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, with nothing of its environment, and gives what it printed. */
export async function runMain(
  argv: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<MainResult> {
  const written = { out: '', err: '' };
  const stdout = { write: (text: string) => void (written.out += text) };
  const stderr = { write: (text: string) => void (written.err += text) };
  const exit = await main({ argv, env, cwd, stdin: {}, stdout, stderr });
  return { exit, ...written };
}

/** stdout as programs read it: one JSON object and nothing else. */
export function onlyObject(out: string): Record<string, unknown> {
  expect(out.endsWith('\n')).toBe(true);
  const answer: Record<string, unknown> = JSON.parse(out);
  return answer;
}
