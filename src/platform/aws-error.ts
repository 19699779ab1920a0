/** What an error of an AWS client says, whatever service it asked. */
export interface AwsErrorFacts {
  /** The protocol's code, or the client's own name for what happened before anything was sent. */
  readonly name: string;
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  /** Of the socket or of TLS, where there was no answer. */
  readonly systemCode: string;
  readonly requestId: string;
}

export function awsErrorFacts(error: unknown): AwsErrorFacts {
  const fields = isObject(error) ? error : {};
  const answer = isObject(fields['$metadata']) ? fields['$metadata'] : {};
  const status = typeof answer['httpStatusCode'] === 'number' ? answer['httpStatusCode'] : 0;
  return {
    name: textOf(fields['Code']) || textOf(fields['name']),
    status,
    systemCode: status === 0 ? systemCodeOf(fields) : '',
    requestId: textOf(answer['requestId']),
  };
}

/** Node puts the errors of all addresses of a name into one, whose own code is that of the first. */
function systemCodeOf(fields: Readonly<Record<string, unknown>>): string {
  if (textOf(fields['code']) !== '') return textOf(fields['code']);
  return isObject(fields['cause']) ? textOf(fields['cause']['code']) : '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
