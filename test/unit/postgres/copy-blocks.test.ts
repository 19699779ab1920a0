import fc from 'fast-check';
import type { TableName } from '../../../src/domain/table-name.ts';
import { copyBlocks, type CopiedRows } from '../../../src/postgres/tables/copy-blocks.ts';
import { withoutEntries } from '../../../src/postgres/tables/definitions.ts';
import { createRowDigest } from '../../../src/postgres/tables/row-digest.ts';
import { caught } from '../../support/caught.ts';

const SCRIPT = `--
SET statement_timeout = 0;
\\restrict abc
COPY public.users (id, "from") FROM stdin;
1\tone
2\t\\\\.
\\N\t
\\.


SELECT pg_catalog.setval('public.users_id_seq', 2, true);
COPY other."Odd .""name" (a) FROM stdin;
COPY public.users (id) FROM stdin;
\\.

COPY public."no columns"  FROM stdin;


\\.
\\unrestrict abc
`;

async function* inChunks(script: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(script);
  let from = 0;
  for (const cut of [...cuts.map((one) => one % bytes.length).toSorted((a, b) => a - b), bytes.length]) {
    yield Buffer.from(bytes.subarray(from, cut));
    from = cut;
  }
}

async function take(
  script: string,
  cuts: readonly number[],
  destination: (table: TableName) => TableName | undefined,
): Promise<{ text: string; blocks: Map<string, CopiedRows> }> {
  const blocks = new Map<string, CopiedRows>();
  const out: Uint8Array[] = [];
  const rows = copyBlocks(inChunks(script, cuts), destination, (origin, copied) =>
    blocks.set(`${origin.schema}/${origin.table}`, copied),
  );
  for await (const chunk of rows) out.push(chunk);
  return { text: Buffer.concat(out).toString(), blocks };
}

const toSide = ({ schema, table }: TableName): TableName | undefined =>
  schema === 'public' ? { schema: 'my side', table } : undefined;

test('rows of the tables with a destination come out under its name, and nothing else does', async () => {
  const { text, blocks } = await take(SCRIPT, [], toSide);
  expect(text).toBe(
    'COPY "my side"."users" (id, "from") FROM stdin;\n1\tone\n2\t\\\\.\n\\N\t\n\\.\nCOPY "my side"."no columns" FROM stdin;\n\n\n\\.\n',
  );
  expect([...blocks].map(([name, { columns, digest }]) => [name, columns, digest.rows])).toEqual([
    ['public/users', ' (id, "from")', 3],
    ['public/no columns', '', 2],
  ]);
});

test('a row of another table that looks like a statement is a row', async () => {
  const { text } = await take(SCRIPT, [], ({ schema, table }) =>
    schema === 'other' ? { schema: 's', table } : undefined,
  );
  expect(text).toBe('COPY "s"."Odd .""name" (a) FROM stdin;\nCOPY public.users (id) FROM stdin;\n\\.\n');
});

test('text and digests are the same wherever the script is cut into chunks', async () => {
  const whole = await take(SCRIPT, [], toSide);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(SCRIPT.length), { maxLength: 40 }), async (cuts) => {
      const { text, blocks } = await take(SCRIPT, cuts, toSide);
      expect(text).toBe(whole.text);
      for (const [name, { digest }] of blocks) expect(digest.value()).toBe(whole.blocks.get(name)?.digest.value());
    }),
  );
});

test('a script that ends inside a table is an error', async () => {
  const short = SCRIPT.slice(0, SCRIPT.indexOf('2\t'));
  expect(await caught(() => take(short, [], toSide))).toMatchObject({ code: 'POSTGRES_RESTORE_FAILED' });
});

test('the digest knows a changed, a lost and a doubled row, and no order', () => {
  const of = (...rows: readonly string[]): string => {
    const digest = createRowDigest();
    for (const row of rows) digest.add(Buffer.from(row));
    return digest.value();
  };
  expect(of('a', 'b', 'c')).toBe(of('c', 'a', 'b'));
  expect(new Set([of('a', 'b'), of('a', 'c'), of('a'), of('a', 'b', 'b'), of()]).size).toBe(5);
});

test('entries that act on their own are left out of a list, and names that begin like them are not', () => {
  const list = [
    ';',
    '; Selected TOC Entries:',
    '10; 2606 1 CONSTRAINT public PUBLICATION pk owner',
    '11; 3466 2 EVENT TRIGGER - forbid owner',
    '12; 6104 3 PUBLICATION - all owner',
    '13; 6106 4 PUBLICATION TABLE public all users owner',
    '14; 2620 5 TRIGGER public users touch owner',
    '15; 0 6 MATERIALIZED VIEW DATA public totals owner',
    '16; 1259 7 INDEX public EVENT TRIGGER owner',
  ];
  expect(withoutEntries(list.join('\n')).split('\n')).toEqual([list[0], list[1], list[2], list[6], list[8]]);
});
