/**
 * Functions compiled once more from their text.
 *
 * PERF: V8 learns about a function from all its callers. What one function does for all systems, or
 * for all kinds of columns, it can never take for granted; a copy that serves one of them it can.
 */
let made = 0;

/**
 * The same function, known to nobody yet. It may refer to nothing but its arguments, so that its
 * text alone can be compiled.
 */
export function compiledAnew<F extends (...given: never[]) => unknown>(make: F, name: string): F {
  // V8 gives equal sources one compilation; the name also tells copies apart in a profile.
  const source = `return ${make.toString()}\n//# sourceURL=${name}-${++made}`;
  try {
    return new Function(source)() as F;
  } catch (error) {
    // A page may forbid to compile text; then all share one.
    if (error instanceof EvalError) return make;
    throw error;
  }
}
