/**
 * Settings of a process from its environment. One table per app; everything wrong is told at once,
 * with the variable and its purpose. It never reads the environment itself: that is handed in.
 */
import { LeaseholdError } from '@leasehold/kernel';

/** One variable. Made by `text`, `integer`, `flag` and `choice`. */
export type Setting<T> = {
  readonly variable: string;
  readonly purpose: string;
  /** What is accepted, in words: "an integer from 0 to 65535". */
  readonly accepts: string;
  /** Absent when the variable must be given. */
  readonly fallback: T | undefined;
  /** The value of a text that is not empty; undefined if it is none. */
  readonly parse: (text: string) => T | undefined;
};

/** The environment as Node has it. An empty variable counts as one that is not given. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type ConfigOf<S extends Readonly<Record<string, Setting<unknown>>>> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Any text. */
export function text(
  variable: string,
  purpose: string,
  options: { readonly fallback?: string } = {},
): Setting<string> {
  const parse = (given: string): string => given;
  return { variable, purpose, accepts: 'text', fallback: options.fallback, parse };
}

/** A whole number in decimal digits, both ends of the range included. */
export function integer(
  variable: string,
  purpose: string,
  options: { readonly min: number; readonly max: number; readonly fallback?: number },
): Setting<number> {
  const { min, max, fallback } = options;
  const parse = (given: string): number | undefined => {
    // Number() takes '', '0x10' and '1e3' too; nobody means those in an environment.
    const value = /^-?\d{1,16}$/.test(given) ? Number(given) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  };
  return { variable, purpose, accepts: `an integer from ${min} to ${max}`, fallback, parse };
}

const FLAGS: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  '0': false,
  false: false,
};

/** On or off. Off unless told otherwise. */
export function flag(
  variable: string,
  purpose: string,
  options: { readonly fallback?: boolean } = {},
): Setting<boolean> {
  const parse = (given: string): boolean | undefined =>
    Object.hasOwn(FLAGS, given) ? FLAGS[given] : undefined;
  const fallback = options.fallback ?? false;
  return { variable, purpose, accepts: '1, 0, true or false', fallback, parse };
}

/** One of some words. */
export function choice<const T extends string>(
  variable: string,
  purpose: string,
  options: { readonly of: readonly T[]; readonly fallback?: NoInfer<T> },
): Setting<T> {
  const parse = (given: string): T | undefined => options.of.find((word) => word === given);
  const accepts = `one of ${options.of.join(', ')}`;
  return { variable, purpose, accepts, fallback: options.fallback, parse };
}

/**
 * Reads a table of settings.
 *
 * Errors: `SETTING_INVALID`, with every fault in the message; `field` is the first one's variable.
 */
export function readConfig<S extends Readonly<Record<string, Setting<unknown>>>>(
  settings: S,
  env: Environment,
): ConfigOf<S> {
  const config: Record<string, unknown> = {};
  const faults: { readonly variable: string; readonly value: string; readonly line: string }[] = [];
  for (const [key, setting] of Object.entries(settings)) {
    const { variable, purpose, accepts } = setting;
    const given = env[variable] ?? '';
    const value = given === '' ? setting.fallback : setting.parse(given);
    if (value === undefined) {
      const shown = given === '' ? 'nothing' : JSON.stringify(given);
      const problem = given === '' ? 'is not set' : `is ${shown}`;
      const line = `${variable} ${problem}, and must be ${accepts}. ${purpose}`;
      faults.push({ variable, value: shown, line });
    }
    config[key] = value;
  }
  const [first] = faults;
  if (first === undefined) return config as ConfigOf<S>;
  const lines = faults.map(({ line }) => line);
  const message = lines.length === 1 ? lines[0] : `\n${lines.map((one) => `  ${one}`).join('\n')}`;
  throw new LeaseholdError('SETTING_INVALID', `configuration: ${message}`, {
    field: first.variable,
    value: first.value,
    remedy: `Set ${faults.map(({ variable }) => variable).join(', ')} and start again.`,
  });
}

/** A table of settings for a reference page, in the order of the table. */
export function settingsTable(settings: Readonly<Record<string, Setting<unknown>>>): readonly {
  readonly variable: string;
  readonly accepts: string;
  /** 'required' when there is no fallback. */
  readonly fallback: string;
  readonly purpose: string;
}[] {
  return Object.values(settings).map(({ variable, accepts, fallback, purpose }) => ({
    variable,
    accepts,
    fallback: fallback === undefined ? 'required' : String(fallback),
    purpose,
  }));
}
