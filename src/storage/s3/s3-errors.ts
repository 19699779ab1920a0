import { LifeboatError, type ErrorCode, messageOf } from '../../domain/errors.ts';
import { awsErrorFacts } from '../../platform/aws-error.ts';

/** Codes of the protocol (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) and of other servers. */
const PROTOCOL_CODES: Readonly<Record<string, ErrorCode>> = {
  NoSuchKey: 'STORE_KEY_MISSING',
  NotFound: 'STORE_KEY_MISSING',
  NoSuchBucket: 'STORE_BUCKET_MISSING',
  PreconditionFailed: 'STORE_KEY_EXISTS',
  AccessDenied: 'STORE_DENIED',
  AllAccessDisabled: 'STORE_DENIED',
  AccountProblem: 'STORE_DENIED',
  InvalidAccessKeyId: 'STORE_CREDENTIALS_REFUSED',
  SignatureDoesNotMatch: 'STORE_CREDENTIALS_REFUSED',
  InvalidToken: 'STORE_CREDENTIALS_REFUSED',
  CredentialsProviderError: 'STORE_CREDENTIALS_REFUSED',
  TokenProviderError: 'STORE_CREDENTIALS_REFUSED',
  ExpiredToken: 'STORE_CREDENTIALS_EXPIRED',
  ExpiredTokenException: 'STORE_CREDENTIALS_EXPIRED',
  TokenRefreshRequired: 'STORE_CREDENTIALS_EXPIRED',
  RequestTimeTooSkewed: 'STORE_CLOCK_SKEWED',
  RequestExpired: 'STORE_CLOCK_SKEWED',
  PermanentRedirect: 'STORE_REGION_WRONG',
  AuthorizationHeaderMalformed: 'STORE_REGION_WRONG',
  IllegalLocationConstraintException: 'STORE_REGION_WRONG',
  BadDigest: 'STORE_DATA_DAMAGED',
  XAmzContentChecksumMismatch: 'STORE_DATA_DAMAGED',
  XAmzContentSHA256Mismatch: 'STORE_DATA_DAMAGED',
  NotImplemented: 'STORE_UNSUPPORTED',
  InvalidObjectState: 'STORE_DENIED',
  QuotaExceeded: 'STORE_FULL',
  XMinioStorageFull: 'STORE_FULL',
  SlowDown: 'STORE_BUSY',
  ServiceUnavailable: 'STORE_BUSY',
  InternalError: 'STORE_BUSY',
  RequestTimeout: 'STORE_BUSY',
  OperationAborted: 'STORE_BUSY',
  ConditionalRequestConflict: 'STORE_BUSY',
  NoSuchUpload: 'STORE_BUSY',
  TimeoutError: 'STORE_UNREACHABLE',
};

/** Where a server sends no code: answers to HEAD have no body. */
const STATUS_CODES: Readonly<Record<number, ErrorCode>> = {
  301: 'STORE_REGION_WRONG',
  403: 'STORE_DENIED',
  404: 'STORE_KEY_MISSING',
  409: 'STORE_BUSY',
  412: 'STORE_KEY_EXISTS',
  429: 'STORE_BUSY',
  501: 'STORE_UNSUPPORTED',
  507: 'STORE_FULL',
};

const TLS_HINT =
  'is the certificate of the endpoint valid for its name, and its authority known (NODE_EXTRA_CA_CERTS)?';

/** What is asked of the store: a write that is denied is another error than a read that is. */
type Intent = 'read' | 'write';

/** Runs requests; their errors come out as STORE_* with the protocol's code, status and request id in the facts. */
export async function s3Request<T>(intent: Intent, doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw s3Error(intent, doing, error);
  }
}

/** Any error of the SDK, of a socket or of TLS as a LifeboatError; one of ours stays as it is. */
export function s3Error(intent: Intent, doing: string, error: unknown): LifeboatError {
  if (error instanceof LifeboatError) return error;
  const { name, status, systemCode, requestId } = awsErrorFacts(error);
  const found = PROTOCOL_CODES[name] ?? codeOfStatus(status) ?? codeOfSystem(systemCode);
  const code = found === 'STORE_DENIED' && intent === 'write' ? 'STORE_READ_ONLY' : found;
  const isTls = systemCode !== '' && /CERT|SSL|TLS|ISSUER|SIGNATURE/.test(systemCode);
  const what = [systemCode || name, status === 0 ? '' : `status ${status}`].filter((part) => part !== '').join(', ');
  return new LifeboatError(code, `${doing}: ${what || messageOf(error)}`, {
    cause: error,
    details: { protocolCode: name, status, systemCode, requestId },
    ...(isTls ? { hint: TLS_HINT } : {}),
  });
}

function codeOfStatus(status: number): ErrorCode | undefined {
  if (status === 0) return undefined;
  return STATUS_CODES[status] ?? (status >= 500 ? 'STORE_BUSY' : status >= 400 ? 'STORE_REQUEST_REFUSED' : undefined);
}

/** Without a status nothing was answered: the line, the name, the certificate. What has no code either is a defect, and shows as one. */
function codeOfSystem(systemCode: string): ErrorCode {
  return systemCode === '' ? 'INTERNAL' : 'STORE_UNREACHABLE';
}
