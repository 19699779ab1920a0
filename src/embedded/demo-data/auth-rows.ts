/** How much there is; enough that moving it takes seconds, little enough that a laptop does not mind. */
export const AUTH_ROWS = { tenants: 500, users: 200_000, refreshTokens: 100_000, auditEvents: 150_000 } as const;

/** Every instant in the rows counts from here: the same seed gives the same database on any day. */
const EPOCH = "timestamptz '2026-01-01 00:00:00Z'";

/** Statements that fill the tables, in groups that can run beside each other. */
export function authRows(seed: number): readonly (readonly string[])[] {
  const digest = (...parts: readonly string[]): string => `md5('${seed}' || ${parts.join(' || ')})`;
  const userId = (row: string): string => `${digest("'user'", row)}::uuid`;
  return [
    [
      `insert into tenants (domain) select 'tenant-' || n || '.example.com' from generate_series(1, ${AUTH_ROWS.tenants}) n`,
      `insert into roles values (1, 'owner', '{*}'), (2, 'admin', '{users:write,roles:write}'), (3, 'support', '{users:read}'),
        (4, 'member', '{self:write}'), (5, 'auditor', '{audit:read}'), (6, 'guest', '{}')`,
      `insert into users (id, tenant_id, email, password_hash, status, created_at, profile)
        select ${userId('n')}, 1 + n % ${AUTH_ROWS.tenants}, 'User.' || n || '@tenant-' || 1 + n % ${AUTH_ROWS.tenants} || '.example.com',
          '$2b$12$' || left(translate(encode(decode(h || md5(h) || h, 'hex'), 'base64'), '+=' || chr(10), './A'), 53),
          (array['active', 'active', 'active', 'invited', 'locked'])[1 + n % 5]::user_status,
          ${EPOCH} - n * interval '97 seconds',
          jsonb_build_object('name', 'User ' || initcap(left(h, 6)), 'locale', (array['en', 'de', 'fr', 'ja'])[1 + n % 4], 'mfa', n % 3 = 0)
        from (select n, ${digest("'password'", 'n')} as h from generate_series(1, ${AUTH_ROWS.users}) n) source`,
    ],
    [
      `insert into refresh_tokens (user_id, token_hash, issued_at, expires_at, revoked_at)
        select ${userId(`1 + n % ${AUTH_ROWS.users}`)}, decode(${digest("'token'", 'n')}, 'hex'), at, at + interval '30 days',
          case when n % 7 = 0 then at + interval '1 hour' end
        from (select n, ${EPOCH} + n * interval '11 seconds' as at from generate_series(1, ${AUTH_ROWS.refreshTokens}) n) source`,
      `insert into user_roles
        select ${userId('n')}, 1 + n % 6, ${EPOCH} - n * interval '97 seconds' from generate_series(1, ${AUTH_ROWS.users}) n`,
      `insert into audit.events (at, actor, action, detail)
        select ${EPOCH} + n * interval '118 seconds', case when n % 50 > 0 then ${userId(`1 + n % ${AUTH_ROWS.users}`)} end,
          (array['login', 'logout', 'refresh', 'password-change', 'denied'])[1 + n % 5],
          jsonb_build_object('ip', '10.' || n % 256 || '.' || n / 256 % 256 || '.7', 'agent', left(${digest("'agent'", 'n % 40')}, 12))
        from generate_series(1, ${AUTH_ROWS.auditEvents}) n`,
    ],
  ];
}
