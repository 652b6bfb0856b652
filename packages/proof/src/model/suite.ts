/** Random histories: how a suite is described, run, counted, and its failures told. */
import { hasCode } from '@leasehold/kernel';
import fc from 'fast-check';
import type { Lane } from './lane.ts';

/** One command: which, and two numbers that each command reads as it likes. */
export type Command = readonly [op: string, a: number, b: number];

export type Suite = {
  readonly name: string;
  /** The promises it watches. */
  readonly rules: readonly string[];
  readonly cells: number;
  /** Whether it follows cells, which it does with one read of all of them. */
  readonly isFollowing: boolean;
  /** Commands, and how often each comes, in parts of their sum. */
  readonly ops: Readonly<Record<string, number>>;
  /** Plays one history on an empty world. Throws `Violation`. */
  play(lane: Lane, setup: number, commands: readonly Command[], tally: Tally): Promise<void>;
};

/** A promise was broken: which one, and how. */
export class Violation extends Error {
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

/** How often each command came, and how often it did something. */
export class Tally {
  readonly counts = new Map<string, { tried: number; effective: number }>();

  note(op: string, isEffective: boolean): void {
    const count = this.counts.get(op) ?? { tried: 0, effective: 0 };
    count.tried++;
    if (isEffective) count.effective++;
    this.counts.set(op, count);
  }

  /** The part of all tries of each command that did something, the least first. */
  shares(): readonly { readonly op: string; readonly tried: number; readonly share: number }[] {
    return [...this.counts]
      .map(([op, { tried, effective }]) => ({ op, tried, share: effective / tried }))
      .sort((a, b) => a.share - b.share);
  }
}

export type Finding = {
  readonly rule: string;
  readonly message: string;
  /** Repeats it: `--suite NAME --seed SEED --path PATH`. */
  readonly seed: number;
  readonly path: string;
  readonly commands: readonly Command[];
  /** The sequence, counted over all lanes, that showed it first. */
  readonly after: number;
};

export type SuiteResult = {
  readonly suite: string;
  readonly sequences: number;
  readonly operations: number;
  readonly seconds: number;
  readonly tally: Tally;
  readonly finding: Finding | undefined;
};

export type RunOptions = {
  readonly sequences: number;
  readonly seed: number;
  /** Replays one history, and nothing else. */
  readonly path?: string;
  /** How long a finding is made shorter; 0 tells it as it was found. */
  readonly shrinkMs: number;
  readonly onSequence?: (done: number) => void;
};

/** Histories are up to this long; the mean is half of it. */
const COMMANDS_MAX = 76;
const NUMBER_MAX = 9_999;

type Progress = { done: number; operations: number; failedAt: number };

/** Runs a suite on all lanes side by side, until the first violation or the end. */
export async function runSuite(
  suite: Suite,
  lanes: readonly Lane[],
  options: RunOptions,
): Promise<SuiteResult> {
  const startedMs = performance.now();
  const tally = new Tally();
  const progress: Progress = { done: 0, operations: 0, failedAt: 0 };
  const used = options.path === undefined ? lanes : lanes.slice(0, 1);
  const share = Math.ceil(options.sequences / used.length);
  const findings = await Promise.all(
    used.map((lane, i) =>
      search(
        suite,
        lane,
        { ...options, sequences: share, seed: options.seed + i * SEED_STEP },
        {
          progress,
          tally,
        },
      ),
    ),
  );
  return {
    suite: suite.name,
    sequences: progress.done,
    operations: progress.operations,
    seconds: (performance.now() - startedMs) / 1000,
    tally,
    finding: findings.find((finding) => finding !== undefined),
  };
}

/** Lanes of one run have seeds of their own. */
const SEED_STEP = 1_000_003;

async function search(
  suite: Suite,
  lane: Lane,
  { sequences, seed, path, shrinkMs, onSequence }: RunOptions,
  { progress, tally }: { readonly progress: Progress; readonly tally: Tally },
): Promise<Finding | undefined> {
  let hasFailed = false;
  let shrinkUntilMs = 0;
  const property = fc.asyncProperty(
    fc.nat(NUMBER_MAX),
    commandsOf(suite),
    async (setup, commands) => {
      // Another lane found something: this one has nothing more to look for.
      if (progress.failedAt > 0 && !hasFailed) return;
      if (hasFailed && performance.now() > shrinkUntilMs) return;
      if (!hasFailed) {
        progress.done++;
        progress.operations += commands.length;
        onSequence?.(progress.done);
      }
      try {
        await suite.play(lane, setup, commands, hasFailed ? new Tally() : tally);
      } catch (error) {
        if (!hasFailed) shrinkUntilMs = performance.now() + shrinkMs;
        hasFailed = true;
        if (progress.failedAt === 0) progress.failedAt = progress.done;
        throw error;
      }
    },
  );
  const details = await fc.check(property, {
    seed,
    numRuns: sequences,
    ...(path === undefined ? {} : { path }),
  });
  if (!details.failed) return undefined;
  const error = details.errorInstance;
  const [, commands] = details.counterexample as [number, Command[]];
  return {
    rule: ruleOf(error),
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    seed,
    path: details.counterexamplePath ?? '',
    commands,
    after: progress.failedAt,
  };
}

/** A store that cannot read what it has stored breaks a promise, too. */
function ruleOf(error: unknown): string {
  if (error instanceof Violation) return error.rule;
  return hasCode(error, 'BODY_MALFORMED') ? 'L3' : 'error';
}

/**
 * fast-check's own idea of a size gives six commands on average, and such histories hide faults
 * that thirty commands show at once.
 */
function commandsOf({ ops }: Suite): fc.Arbitrary<Command[]> {
  const command = fc.tuple(
    fc.oneof(
      ...Object.entries(ops).map(([op, weight]) => ({ arbitrary: fc.constant(op), weight })),
    ),
    fc.nat(NUMBER_MAX),
    fc.nat(NUMBER_MAX),
  );
  return fc.noBias(fc.array(command, { maxLength: COMMANDS_MAX, size: 'max' }));
}
