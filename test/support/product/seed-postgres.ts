/** A small auth database with what real ones have: odd names, rights, large objects, partitions, policies. */
import type { TestPostgres } from '../servers.ts';

export const DATABASE = 'enterprise_auth';

export interface PostgresSeed {
  /** Rows of users; tokens and audit rows follow from it. Default 500. */
  readonly users?: number;
  /** Incompressible bytes in a table of their own, MB. Default 0. */
  readonly ballastMb?: number;
}

/** Makes and fills the database; roles are made where they are missing. */
export async function seedPostgres(server: TestPostgres, database: string, seed: PostgresSeed = {}): Promise<void> {
  const { users = 500, ballastMb = 0 } = seed;
  await server.query(ROLES);
  await server.query(`CREATE DATABASE ${quote(database)} OWNER app_owner`);
  await server.query(`COMMENT ON DATABASE ${quote(database)} IS 'who may come in'`);
  await server.query(`ALTER DATABASE ${quote(database)} SET work_mem = '8MB'`);
  await server.query(`GRANT CONNECT ON DATABASE ${quote(database)} TO app_reader`);
  await server.query(SCHEMA, [], database);
  await server.query(rows(users), [], database);
  if (ballastMb > 0) await server.query(ballast(ballastMb), [], database);
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const ROLES = `
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(4711);
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_owner') THEN
    CREATE ROLE app_owner LOGIN PASSWORD 'app-owner-password';
    CREATE ROLE app_reader;
    CREATE ROLE "App Auditor" LOGIN IN ROLE app_reader;
  END IF;
END $$`;

const SCHEMA = `
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE SCHEMA "Audit Log" AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TYPE "Audit Log".action AS ENUM ('login', 'logout', 'password "reset"');
CREATE TABLE "Audit Log"."Entries" (
  id bigint GENERATED ALWAYS AS IDENTITY, "At" timestamptz NOT NULL, "user id" bigint, what "Audit Log".action NOT NULL,
  detail jsonb, PRIMARY KEY (id, "At")) PARTITION BY RANGE ("At");
CREATE TABLE "Audit Log"."Entries 2023" PARTITION OF "Audit Log"."Entries" FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE "Audit Log"."Entries 2024" PARTITION OF "Audit Log"."Entries" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
RESET ROLE;
GRANT CREATE, USAGE ON SCHEMA public TO app_owner;
SET ROLE app_owner;
CREATE TABLE users (
  id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, email_lower text GENERATED ALWAYS AS (lower(email)) STORED,
  password_hash bytea NOT NULL, "displayName" text, created_at timestamptz NOT NULL, score numeric(12, 4), tags text[]);
CREATE TABLE tokens (
  token uuid PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE, secret bytea NOT NULL,
  expires_at timestamptz NOT NULL, CHECK (octet_length(secret) = 32));
CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at > '2024-06-01';
CREATE TABLE empty_table (id int);
CREATE SEQUENCE "ticket No" START 1000 INCREMENT 7;
CREATE MATERIALIZED VIEW tokens_per_user AS SELECT user_id, count(*) AS n FROM tokens GROUP BY user_id;
CREATE VIEW active_users WITH (security_barrier) AS SELECT id, email FROM users WHERE score > 0;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.created_at := NEW.created_at; RETURN NEW; END $f$;
CREATE TRIGGER touch_users BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tokens ON tokens FOR SELECT TO app_reader USING (user_id = 1);
GRANT SELECT ON users, active_users TO app_reader;
GRANT SELECT (user_id, expires_at) ON tokens TO "App Auditor";
GRANT USAGE ON SCHEMA "Audit Log" TO "App Auditor";
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO app_reader;
COMMENT ON TABLE users IS 'people; it''s them';
COMMENT ON COLUMN users."displayName" IS 'as typed';
RESET ROLE;`;

/** Every byte value is in the password hashes; texts hold quotes, backslashes, line breaks and other scripts. */
const rows = (users: number): string => `
SELECT setseed(0.42);
INSERT INTO users (email, password_hash, "displayName", created_at, score, tags)
  SELECT 'User' || g || '@Example.org', decode(lpad(to_hex(g % 256), 2, '0'), 'hex') || sha256(g::text::bytea),
    CASE g % 4 WHEN 0 THEN NULL WHEN 1 THEN 'Zoë "Z" \\ ' || g WHEN 2 THEN E'two\\nlines\\t' || g ELSE '用户' || g END,
    '2024-01-01'::timestamptz + g * interval '1 minute', g % 100 - 50.25, ARRAY['a' || g, NULL, '{"}']
  FROM generate_series(1, ${users}) g;
INSERT INTO tokens SELECT md5('token' || g)::uuid, g % ${users} + 1, sha256(('secret' || g)::bytea),
    '2024-01-01'::timestamptz + g * interval '1 hour' FROM generate_series(1, ${users * 2}) g;
INSERT INTO "Audit Log"."Entries" ("At", "user id", what, detail)
  SELECT '2023-01-01'::timestamptz + g * interval '3 hours', g, 'login', jsonb_build_object('ip', '10.0.0.' || g % 256, 'n', g)
  FROM generate_series(1, ${users * 2}) g WHERE '2023-01-01'::timestamptz + g * interval '3 hours' < '2025-01-01';
DELETE FROM users WHERE id = 7;
SELECT nextval('"ticket No"'), nextval('"ticket No"');
REFRESH MATERIALIZED VIEW tokens_per_user;
SELECT lo_from_bytea(900001, decode(repeat('00ff10', 5000), 'hex'));
SELECT lo_from_bytea(900002, ''::bytea);
ALTER LARGE OBJECT 900001 OWNER TO app_owner;
GRANT SELECT ON LARGE OBJECT 900001 TO app_reader;
COMMENT ON LARGE OBJECT 900002 IS 'nothing in it';`;

const ballast = (megabytes: number): string => `
CREATE TABLE ballast (id int PRIMARY KEY, noise bytea NOT NULL);
ALTER TABLE ballast ALTER noise SET STORAGE EXTERNAL;
INSERT INTO ballast SELECT g, (SELECT string_agg(gen_random_bytes(1024), ''::bytea) FROM generate_series(1, 64 + g * 0))
  FROM generate_series(1, ${megabytes * 16}) g;`;
