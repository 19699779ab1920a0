/** A database with one of everything that a dump can get wrong. Runs on PostgreSQL 15 to 18, as superuser, in a new database. */

/** Roles of the cluster; statements that create them, safe to repeat. */
export const RICH_ROLES = `
  DO $do$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app owner') THEN
      CREATE ROLE "app owner" LOGIN PASSWORD 'owner''s; -- secret';
      CREATE ROLE readers NOLOGIN;
      CREATE ROLE "Über""leser" LOGIN CONNECTION LIMIT 7 VALID UNTIL '2099-01-01' PASSWORD 'x';
      CREATE ROLE signer NOLOGIN BYPASSRLS;
      GRANT readers TO "Über""leser" WITH ADMIN OPTION;
      GRANT readers TO "app owner";
      ALTER ROLE "app owner" SET work_mem TO '5MB';
      COMMENT ON ROLE readers IS $c$they read; only;
-- nothing else 'quoted' "here" \\ $c$;
    END IF;
  END $do$;`;

/** Names that must survive quoting in SQL, in pg_dump's patterns and in argv. */
export const ODD_TABLES = [
  'Mixed Case',
  'do.ts',
  'quo"te',
  "apo'strophe",
  'per%cent',
  'star*s?[x]',
  'dollar$ign',
  'back\\slash',
  'ünï¢ode ☃',
  'select',
  'a'.repeat(63),
  '-dash',
  'tab\tand\nline',
] as const;

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const ODD = ODD_TABLES.map(
  (name, index) => `
  CREATE TABLE "Odd Schema.x".${quote(name)} (id serial PRIMARY KEY, "Value""s" text);
  INSERT INTO "Odd Schema.x".${quote(name)} ("Value""s") SELECT repeat(md5(n::text), 10) FROM generate_series(1, ${(index + 1) * 10}) n;`,
).join('');

export const RICH_DATABASE = `
SET client_min_messages = warning;
CREATE EXTENSION pgcrypto;
CREATE SCHEMA ext;
GRANT USAGE ON SCHEMA ext TO PUBLIC;
CREATE EXTENSION citext SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION pg_trgm SCHEMA ext;
CREATE SCHEMA "Odd Schema.x" AUTHORIZATION "app owner";
CREATE SCHEMA app AUTHORIZATION "app owner";
COMMENT ON SCHEMA app IS 'it''s the "app" \\ schema';
GRANT USAGE ON SCHEMA app TO readers, PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "app owner" IN SCHEMA app GRANT SELECT ON TABLES TO readers;
ALTER DEFAULT PRIVILEGES FOR ROLE "app owner" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
${ODD}

SET ROLE "app owner";
CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'happy; "really"');
CREATE TYPE app.point3 AS (x float8, y float8, "Z" float8);
CREATE DOMAIN app.email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE TYPE app.span AS RANGE (subtype = float8);
CREATE FUNCTION app.area(app.point3) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $body$
BEGIN
  -- a $$dollar$$ inside; and a 'quote
  RETURN ($1).x * ($1).y;
END $body$;
GRANT EXECUTE ON FUNCTION app.area(app.point3) TO readers;
CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE PROCEDURE app.nothing() LANGUAGE sql AS 'SELECT 1';

CREATE TABLE app.users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email app.email NOT NULL UNIQUE,
  name ext.citext,
  mood app.mood DEFAULT 'ok',
  place app.point3,
  tags text[] DEFAULT '{}',
  attributes ext.hstore,
  settings jsonb,
  amount numeric(30, 10),
  ratio float8,
  born date,
  seen timestamptz,
  secret bytea,
  upper_name text GENERATED ALWAYS AS (upper(email::text)) STORED,
  best_friend bigint
);
INSERT INTO app.users (email, name, mood, place, tags, attributes, settings, amount, ratio, born, seen, secret)
SELECT 'user' || n || '@example.org', 'Name ' || n, (ARRAY['sad', 'ok', 'happy; "really"'])[n % 3 + 1]::app.mood,
  ROW (n, n / 3.0, -n)::app.point3, ARRAY['a,b', 'c"d', NULL, E'e\\\\f'], ext.hstore('k' || n, NULL), jsonb_build_object('n', n, 'u', E'\\u2603'),
  n * 1234567.0123456789, CASE n % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' ELSE n / 7.0 END::float8, date '1970-01-01' + n,
  timestamptz '2020-01-01 00:00:00.123456+02' + n * interval '1 hour', decode(repeat('00ff80fe0a0d5c', n % 50), 'hex')
FROM generate_series(1, 3000) n;
ALTER TABLE app.users ADD FOREIGN KEY (best_friend) REFERENCES app.users DEFERRABLE INITIALLY DEFERRED;
UPDATE app.users SET best_friend = id % 3000 + 1;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE app.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.users FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.users FOR SELECT TO readers USING (email = current_user || '@example.org');
CREATE POLICY "all; of them" ON app.users AS RESTRICTIVE USING (true) WITH CHECK (id > 0);
GRANT SELECT (id, email), UPDATE (name) ON app.users TO "Über""leser";
GRANT SELECT ON app.users TO readers WITH GRANT OPTION;
COMMENT ON TABLE app.users IS 'E''\\n not an escape; --';
COMMENT ON COLUMN app.users.secret IS '☃';
CREATE INDEX users_trgm ON app.users USING gin (name ext.gin_trgm_ops);
CREATE INDEX users_partial ON app.users (born DESC NULLS LAST) INCLUDE (email) WHERE mood <> 'sad';
CREATE STATISTICS app.users_stats ON born, mood FROM app.users;

CREATE TABLE app.left_side (id int PRIMARY KEY, right_id int);
CREATE TABLE app.right_side (id int PRIMARY KEY, left_id int REFERENCES app.left_side DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE app.left_side ADD CONSTRAINT cycle FOREIGN KEY (right_id) REFERENCES app.right_side DEFERRABLE INITIALLY DEFERRED;
INSERT INTO app.left_side VALUES (1, 1), (2, NULL);
INSERT INTO app.right_side VALUES (1, 1);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE app.left_side ADD CONSTRAINT unchecked CHECK (id < 2) NOT VALID;

CREATE TABLE app.events (id bigserial, at timestamptz NOT NULL, kind text COLLATE "C", body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.events_2024 PARTITION OF app.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE app."events 2025" PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
CREATE TABLE app."events.2025.login" PARTITION OF app."events 2025" FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE app.events_rest PARTITION OF app.events DEFAULT;
INSERT INTO app.events (at, kind, body) SELECT timestamptz '2024-01-01' + n * interval '1 hour', 'login', md5(n::text) || repeat('é', n % 90)
FROM generate_series(1, 20000) n;
CREATE INDEX ON app.events (kind);

CREATE TABLE app.parent (id int PRIMARY KEY, note text);
CREATE TABLE app.child (extra int) INHERITS (app.parent);
INSERT INTO app.parent VALUES (1, E'tab\\tline\\nreturn\\rback\\\\slash');
INSERT INTO app.child VALUES (2, NULL, 3), (3, '\\N', 4);
CREATE TABLE app.empty (id int PRIMARY KEY, note app.email NOT NULL);
CREATE UNLOGGED TABLE app.cache (key text PRIMARY KEY, value text);
INSERT INTO app.cache VALUES ('k', 'v');
CREATE TABLE app.no_columns ();
INSERT INTO app.no_columns DEFAULT VALUES;
CREATE SEQUENCE app.plain INCREMENT -3 MINVALUE -1000 MAXVALUE 100 START 7 CYCLE;
SELECT nextval('app.plain'), nextval('app.plain');
CREATE SEQUENCE app.never_called START 42;
CREATE TABLE app.serials (id serial, other int DEFAULT nextval('app.plain'));
INSERT INTO app.serials (other) VALUES (1), (2);
SELECT setval('app.serials_id_seq', 900, false);

CREATE VIEW app.names WITH (security_barrier) AS SELECT id, email FROM app.users WHERE mood = 'ok';
GRANT SELECT ON app.names TO PUBLIC;
CREATE MATERIALIZED VIEW app.counts AS SELECT kind, count(*) AS events FROM app.events GROUP BY kind;
CREATE UNIQUE INDEX ON app.counts (kind);
CREATE MATERIALIZED VIEW app.counts_of_counts AS SELECT sum(events) FROM app.counts;
CREATE MATERIALIZED VIEW app.unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := upper(NEW.note); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON app.parent FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.parent DISABLE TRIGGER touch;
CREATE RULE quiet AS ON DELETE TO app.cache DO INSTEAD NOTHING;
RESET ROLE;

CREATE FUNCTION public.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
CREATE EVENT TRIGGER watch_ddl ON ddl_command_end EXECUTE FUNCTION public.on_ddl();
CREATE PUBLICATION changes FOR TABLE app.left_side, app.parent;
CREATE CAST (app.point3 AS text) WITH INOUT AS ASSIGNMENT;
CREATE OPERATOR app.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE COLLATION app.posix (provider = libc, locale = 'C');
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = simple);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere OPTIONS (host 'h');
CREATE USER MAPPING FOR "app owner" SERVER elsewhere OPTIONS (password 'not shown');
CREATE FOREIGN TABLE app.remote (id int) SERVER elsewhere;

SELECT lo_from_bytea(100001, '\\x00ff00ff'::bytea);
SELECT lo_from_bytea(100002, convert_to(repeat('large object ', 100000), 'UTF8'));
ALTER LARGE OBJECT 100002 OWNER TO "app owner";
GRANT SELECT ON LARGE OBJECT 100002 TO readers;
COMMENT ON LARGE OBJECT 100001 IS 'large; ''object''';
`;

/** Properties of the database itself; `{db}` stands for its quoted name. */
export const RICH_PROPERTIES = `
ALTER DATABASE {db} OWNER TO "app owner";
REVOKE CONNECT ON DATABASE {db} FROM PUBLIC;
SET ROLE "app owner";
GRANT CONNECT ON DATABASE {db} TO readers WITH GRANT OPTION;
SET ROLE readers;
GRANT CONNECT ON DATABASE {db} TO signer;
RESET ROLE;
GRANT CREATE ON DATABASE {db} TO "Über""leser";
ALTER DATABASE {db} CONNECTION LIMIT 55;
COMMENT ON DATABASE {db} IS 'the "rich" one; it''s \\ here';
ALTER DATABASE {db} SET search_path TO "$user", app, "Odd Schema.x", public;
ALTER DATABASE {db} SET work_mem TO '7MB';
ALTER DATABASE {db} SET "my.setting" TO 'it''s \\ "mine", yes';
ALTER DATABASE {db} SET DateStyle TO 'ISO, DMY';
ALTER ROLE "app owner" IN DATABASE {db} SET statement_timeout TO '9min';
ALTER ROLE "Über""leser" IN DATABASE {db} SET search_path TO app;
`;
