/** Quoting as PostgreSQL's own quote_ident and quote_literal do it, with identifiers always quoted. */

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Safe whatever standard_conforming_strings is. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return value.includes('\\') ? `E${quoted}` : quoted;
}

/**
 * `dbname='…'` for tools that take a database by argument: they would read a bare name with `=` or `postgresql://` in it as a
 * connection string.
 */
export function databaseArgument(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Elements of a setting that is a list of names, as `search_path` is stored: `"$user", public`. */
export function splitNameList(value: string): string[] {
  return [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    (match) => match[1]?.replaceAll('""', '"') ?? match[2] ?? '',
  );
}
