import { planRoles } from '../../../src/postgres/restore/roles.ts';

const GLOBALS = `
--
-- PostgreSQL database cluster dump
--
\\restrict x
SET default_transaction_read_only = off;
CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a;b''c';
CREATE ROLE "Odd; role";
ALTER ROLE "Odd; role" WITH NOSUPERUSER;
COMMENT ON ROLE "Odd; role" IS 'a
-- b; "c"';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER;
ALTER ROLE app SET search_path TO 'x';
CREATE TABLESPACE fast OWNER postgres LOCATION '/fast';
GRANT app TO "Odd; role" WITH ADMIN OPTION, INHERIT TRUE GRANTED BY postgres;
GRANT postgres TO postgres_too;
GRANT SET ON PARAMETER work_mem TO app;
GRANT ALL ON TABLESPACE fast TO app;
`;

describe('planRoles', () => {
  it('takes all statements of the roles that are missing, in order, and nothing else', () => {
    const plan = planRoles(GLOBALS, new Set(['postgres', 'postgres_too']));
    expect(plan).toEqual({
      roles: [
        {
          name: 'app',
          statements: [
            'CREATE ROLE app',
            `ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a;b''c'`,
            `ALTER ROLE app SET search_path TO 'x'`,
          ],
        },
        {
          name: 'Odd; role',
          statements: [
            'CREATE ROLE "Odd; role"',
            'ALTER ROLE "Odd; role" WITH NOSUPERUSER',
            `COMMENT ON ROLE "Odd; role" IS 'a\n-- b; "c"'`,
          ],
        },
      ],
      memberships: ['GRANT app TO "Odd; role" WITH ADMIN OPTION, INHERIT TRUE GRANTED BY postgres'],
    });
  });

  it('plans nothing where all roles exist', () => {
    const plan = planRoles(GLOBALS, new Set(['postgres', 'postgres_too', 'app', 'Odd; role']));
    expect(plan).toEqual({ roles: [], memberships: [] });
  });
});
