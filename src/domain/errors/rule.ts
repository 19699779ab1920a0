/** What the system does with an error of one code; see docs/reference/errors.md. */
export interface ErrorRule {
  /**
   * `never`: the same call gives the same answer; `transient`: trying again soon can help;
   * `after`: trying again helps once something outside has changed (a server is up, space is free).
   */
  readonly retry: 'never' | 'transient' | 'after';
  /** Exit code of the command line: 1 failed, 2 usage, 3 partial, 4 integrity, 5 not found, 6 busy, 7 unreachable, 8 denied, 130 interrupted. */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 130;
  /** One sentence for docs/reference/errors.md: when this happens. */
  readonly when: string;
  /** The question an operator would ask, or the command to run. */
  readonly hint: string;
}

export type ErrorTable = Readonly<Record<string, ErrorRule>>;
