import { z } from 'zod';

/** One grant, as aclexplode gives it; an empty grantee is PUBLIC. */
const grantSchema = z.object({
  grantee: z.string(),
  privilege: z.string(),
  grantable: z.boolean(),
  grantor: z.string(),
});

/** ALTER DATABASE … SET (role null) and ALTER ROLE … IN DATABASE … SET. */
const settingSchema = z.object({ role: z.string().nullable(), name: z.string(), value: z.string() });

/** What belongs to a database as a whole: pg_dump leaves it out, and a bare rename loses it. */
const propertiesSchema = z.object({
  owner: z.string(),
  /** Null: never granted or revoked, PostgreSQL's default. */
  grants: z.array(grantSchema).nullable(),
  /** -1: none. */
  connectionLimit: z.number().int(),
  comment: z.string().nullable(),
  settings: z.array(settingSchema),
});

/** Fixed when a database is created. */
const creationSchema = z.object({
  encoding: z.string(),
  /** pg_database.datlocprovider: c libc, i ICU, b builtin. */
  provider: z.string(),
  collate: z.string(),
  ctype: z.string(),
  /** ICU or builtin locale. */
  locale: z.string().nullable(),
  icuRules: z.string().nullable(),
  tablespace: z.string(),
});

const objectSchema = z.object({ kind: z.string(), name: z.string(), owner: z.string(), grants: z.array(z.string()) });

const sequenceStateSchema = z.object({ value: z.string(), called: z.boolean() });

/** The artifact `facts`: what a restore of this backup must show again. Fields are added, never renamed. */
export const databaseFactsSchema = z.object({
  formatVersion: z.literal(1),
  serverVersion: z.number().int(),
  creation: creationSchema,
  properties: propertiesSchema,
  /** Exact rows of every ordinary table at the snapshot; partitions each for itself. */
  tables: z.array(z.object({ name: z.string(), rows: z.number().int() })),
  /** Sequences do not obey snapshots: their state before and after the pieces were read. */
  sequences: z.array(z.object({ name: z.string(), before: sequenceStateSchema, after: sequenceStateSchema })),
  extensions: z.array(z.object({ name: z.string(), version: z.string(), schema: z.string() })),
  /** Owner and rights of each object outside system schemas and extensions; defaults are spelled out. */
  objects: z.array(objectSchema),
  largeObjects: z.number().int(),
  constraints: z.number().int(),
  indexes: z.number().int(),
  triggers: z.number().int(),
  policies: z.number().int(),
  /** Names: constraints that were never validated, indexes that a broken build left behind. */
  notValidated: z.array(z.string()),
  invalidIndexes: z.array(z.string()),
  /** Materialised views that hold data. */
  populatedViews: z.number().int(),
  /** Tablespaces other than the database's own that objects lie in. */
  tablespaces: z.array(z.string()),
  /** For people: what else the server was set to. */
  serverSettings: z.record(z.string(), z.string()),
});

export type Grant = z.infer<typeof grantSchema>;
export type DatabaseSetting = z.infer<typeof settingSchema>;
export type DatabaseProperties = z.infer<typeof propertiesSchema>;
export type DatabaseCreation = z.infer<typeof creationSchema>;
export type DatabaseObject = z.infer<typeof objectSchema>;
export type SequenceState = z.infer<typeof sequenceStateSchema>;
export type DatabaseFacts = z.infer<typeof databaseFactsSchema>;

/** What the catalogs say at one instant; the rest of the facts are counted. */
export type CatalogFacts = Omit<DatabaseFacts, 'formatVersion' | 'tables' | 'sequences' | 'creation' | 'properties'>;
