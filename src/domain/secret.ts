/** What a secret shows of itself wherever it is printed. */
export const MASK = '********';

/**
 * A value that must not be seen. Everything that turns it into text by accident (JSON, template strings, console, loggers)
 * gets the mask; only `reveal()` gives the value, at the place that hands it to a server.
 */
export interface Secret {
  reveal(): string;
  toJSON(): string;
  toString(): string;
}

const secrets = new WeakSet<object>();
/** The key under which Node's console asks a value how to print it (the same symbol in every realm). */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** `masked` replaces the mask where a part may be seen, such as a URL without its password. */
export function createSecret(value: string, masked: string = MASK): Secret {
  const show = (): string => masked;
  const secret: Secret = Object.freeze({ reveal: () => value, toJSON: show, toString: show, [INSPECT]: show });
  secrets.add(secret);
  return secret;
}

/** True only for values made by createSecret. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && secrets.has(value);
}
