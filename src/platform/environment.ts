/**
 * Variables that child processes inherit. Left out on purpose: PG*, REDIS*, AWS_* and everything else that could
 * change what a tool does or hand it a secret; callers add what they mean to.
 */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'LD_LIBRARY_PATH',
  'KRB5_CONFIG',
  'KRB5CCNAME',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const;

/** The small environment that every child process starts from. */
export function inheritedEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** What programs that download (npm, pip, apt, go) need beyond that: proxies, certificates and the person's own settings. */
const DOWNLOADING =
  /^(https?_proxy|no_proxy|all_proxy|pip_.*|npm_config_.*|requests_ca_bundle|curl_ca_bundle|node_extra_ca_certs|go[a-z]+)$/i;

/** The environment for programs that download. */
export function downloadEnvironment(): Record<string, string> {
  const environment = inheritedEnvironment();
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && DOWNLOADING.test(name)) environment[name] = value;
  }
  return environment;
}

/** One variable, for settings that must be known before a configuration is read. Empty counts as not set. */
export function environmentVariable(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}
