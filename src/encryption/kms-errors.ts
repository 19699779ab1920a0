import { type ErrorCode, LifeboatError, messageOf } from '../domain/errors.ts';
import { awsErrorFacts } from '../platform/aws-error.ts';

/** https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html and the errors of each call. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  AccessDeniedException: 'KMS_DENIED',
  NotFoundException: 'KMS_KEY_UNKNOWN',
  DisabledException: 'KMS_KEY_UNUSABLE',
  KMSInvalidStateException: 'KMS_KEY_UNUSABLE',
  InvalidKeyUsageException: 'KMS_KEY_UNUSABLE',
  InvalidArnException: 'KMS_REGION_WRONG',
  UnrecognizedClientException: 'KMS_CREDENTIALS_REFUSED',
  InvalidClientTokenId: 'KMS_CREDENTIALS_REFUSED',
  InvalidSignatureException: 'KMS_CREDENTIALS_REFUSED',
  IncompleteSignature: 'KMS_CREDENTIALS_REFUSED',
  MissingAuthenticationTokenException: 'KMS_CREDENTIALS_REFUSED',
  ExpiredTokenException: 'KMS_CREDENTIALS_REFUSED',
  RequestExpired: 'KMS_CREDENTIALS_REFUSED',
  CredentialsProviderError: 'KMS_CREDENTIALS_REFUSED',
  TokenProviderError: 'KMS_CREDENTIALS_REFUSED',
  ThrottlingException: 'KMS_BUSY',
  LimitExceededException: 'KMS_BUSY',
  DependencyTimeoutException: 'KMS_BUSY',
  KeyUnavailableException: 'KMS_BUSY',
  KMSInternalException: 'KMS_BUSY',
  TimeoutError: 'KMS_UNREACHABLE',
};

/** Answers that say nothing of the service: these bytes were not made with this key. */
const NOT_OF_THIS_KEY = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);

/** Any error of a call as a LifeboatError KMS_*; undefined where the bytes are not of the key. */
export function kmsError(doing: string, error: unknown): LifeboatError | undefined {
  const { name, status, systemCode, requestId } = awsErrorFacts(error);
  if (NOT_OF_THIS_KEY.has(name)) return undefined;
  // AWS has one name for a key that is not there and for an ARN of another region.
  const isElsewhere = name === 'NotFoundException' && /invalid arn/i.test(messageOf(error));
  const code = isElsewhere ? 'KMS_REGION_WRONG' : (CODES[name] ?? codeOf(status, systemCode));
  const what = [systemCode || name, status === 0 ? '' : `status ${status}`].filter((part) => part !== '').join(', ');
  return new LifeboatError(code, `${doing}: ${what || messageOf(error)}`, {
    cause: error,
    details: { protocolCode: name, status, systemCode, requestId },
  });
}

/** What was not answered and has no code of the system is a defect, and shows as one. */
function codeOf(status: number, systemCode: string): ErrorCode {
  if (status >= 500 || status === 429) return 'KMS_BUSY';
  if (status > 0) return 'KMS_REFUSED';
  return systemCode === '' ? 'INTERNAL' : 'KMS_UNREACHABLE';
}
