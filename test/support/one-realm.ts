/**
 * Jest gives tests an `Error` of their own, so that errors of Node are none to libraries that ask by `instanceof`: the AWS SDK then
 * replaces them by one without a code. Importing this makes them errors, as they are outside of tests.
 */
import { types } from 'node:util';

const usual = Function.prototype[Symbol.hasInstance];

Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, candidate: unknown): boolean {
    return usual.call(this as typeof Error, candidate) || (this === Error && types.isNativeError(candidate));
  },
});
