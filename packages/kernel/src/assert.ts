/** Stops a program that is in a state its author ruled out. Never used on what a user supplies. */
export function assert(claim: unknown, message: string): asserts claim {
  if (!claim) throw new Error(`assertion failed: ${message}`);
}
