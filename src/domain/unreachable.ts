/** Behind a switch over a union: the compiler holds that nothing comes here, and what comes from a wire all the same is a defect. */
export function unreachable(value: never): never {
  throw new RangeError(`not one of the kinds: ${JSON.stringify(value)}`);
}
