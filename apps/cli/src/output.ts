/**
 * The only place that writes to the terminal. Results go to stdout, progress and faults to stderr,
 * so that a report can be piped. With `--json` stdout carries JSON and nothing else.
 */
import { faultReport } from '@leasehold/kernel';
import pc from 'picocolors';

export type Colors = ReturnType<typeof pc.createColors>;

type Sink = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
};

/** Of what is no terminal: as much as a page or a mail shows. */
const COLUMNS_DEFAULT = 100;

export type OutputOptions = {
  readonly json: boolean;
  readonly stdout?: Sink;
  readonly stderr?: Sink;
  /** Whether the terminal wants colours, as the variables of the process say. */
  readonly env: NodeJS.ProcessEnv;
};

export class Output {
  readonly isJson: boolean;
  /** True when a live view can be redrawn in place. */
  readonly isLive: boolean;
  readonly colors: Colors;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  #liveLines = 0;

  constructor({ json, stdout, stderr, env }: OutputOptions) {
    this.isJson = json;
    this.#stdout = stdout ?? process.stdout;
    this.#stderr = stderr ?? process.stderr;
    const isTerminal = this.#stderr.isTTY === true && env['TERM'] !== 'dumb';
    this.isLive = isTerminal && !json;
    this.colors = pc.createColors(isTerminal && (env['NO_COLOR'] ?? '') === '');
  }

  /** How many characters a line of a result may have. */
  get columns(): number {
    return this.#stdout.columns ?? COLUMNS_DEFAULT;
  }

  /** A result: people see it on stdout; with `--json` it is left out, the report says it all. */
  print(text: string): void {
    this.clear();
    if (!this.isJson) this.#stdout.write(`${text}\n`);
  }

  /** The one JSON value of a run with `--json`. */
  json(value: unknown): void {
    if (this.isJson) this.#stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** One JSON value of many, on a line of its own, for programs that read as it comes. */
  jsonLine(value: unknown): void {
    if (this.isJson) this.#stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** What is going on, for whoever watches; kept apart from results. */
  progress(text: string): void {
    if (this.isJson) return;
    this.clear();
    this.#stderr.write(`${this.colors.dim('·')} ${text}\n`);
  }

  /** What whoever started this must know, and cannot ask for later; said with `--json` too. */
  notice(text: string): void {
    this.clear();
    this.#stderr.write(`${text}\n`);
  }

  /** Worth attention, though the run goes on; said with `--json` too, on stderr. */
  warn(text: string): void {
    this.clear();
    this.#stderr.write(`${this.colors.yellow('!')} ${text}\n`);
  }

  /**
   * Redraws the lines of the last call, as many as the terminal is high; does nothing where that is
   * impossible. One write and no blank in between, so that nothing flickers.
   */
  live(lines: readonly string[]): void {
    if (!this.isLive) return;
    const { columns = 80, rows = 24 } = this.#stderr;
    const shown = lines.slice(0, rows - 1).map((line) => `${cut(line, columns - 1)}\u001b[K\n`);
    const up = this.#liveLines === 0 ? '' : `\r\u001b[${this.#liveLines}A`;
    this.#stderr.write(`${up}${shown.join('')}\u001b[0J`);
    this.#liveLines = shown.length;
  }

  /** Removes the live lines. */
  clear(): void {
    if (this.#liveLines === 0) return;
    // A Ctrl-C that the terminal echoed has moved the cursor from the first column.
    this.#stderr.write(`\r\u001b[${this.#liveLines}A\u001b[0J`);
    this.#liveLines = 0;
  }

  /** A fault as one block, or as JSON: what, where, with which value, and what to do. */
  fault(error: unknown): void {
    this.clear();
    const fault = faultReport(error);
    if (this.isJson) {
      this.#stdout.write(`${JSON.stringify({ error: fault }, undefined, 2)}\n`);
      return;
    }
    const { bold, red, dim } = this.colors;
    const lines = [`${red(bold('error'))} ${fault.message}`];
    if (fault.field !== '') lines.push(`  ${dim('field ')} ${fault.field}`);
    if (fault.value !== '') lines.push(`  ${dim('value ')} ${fault.value}`);
    lines.push(`  ${dim('remedy')} ${fault.remedy}`, `  ${dim('code  ')} ${fault.code}`);
    const isDefect = fault.code === 'INTERNAL' && error instanceof Error;
    if (isDefect) lines.push(dim(error.stack ?? ''));
    this.#stderr.write(`${lines.join('\n')}\n`);
  }

  /** Text that is neither result nor fault: the help of the command. */
  help(text: string): void {
    this.#stdout.write(text);
  }
}

/** Cuts a line to the width of the terminal; colour codes take no room and are all kept. */
function cut(line: string, width: number): string {
  let left = width;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
  return line.replace(/\u001b\[\d+m|[^\u001b]/g, (part) =>
    part.length > 1 || left-- > 0 ? part : '',
  );
}
