/** What a benchmark does right now, on stderr: each of its lines, and that it is still at it. */

const REDRAW_MS = 1_000;
/** Where lines cannot be drawn again, a sign of life this often. */
const PLAIN_MS = 10_000;

export class Progress {
  readonly #isLive = process.stderr.isTTY === true;
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #saidMs = performance.now();

  constructor(title: string) {
    process.stderr.write(`${title}\n`);
    this.#timer = setInterval(() => this.#tick(), REDRAW_MS);
  }

  say(line: string): void {
    this.#saidMs = performance.now();
    process.stderr.write(`${this.#clear}  ${line}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    process.stderr.write(this.#clear);
  }

  get #clear(): string {
    return this.#isLive ? '\r\x1b[K' : '';
  }

  #tick(): void {
    const seconds = `  … ${((performance.now() - this.#startMs) / 1_000).toFixed(0)} s`;
    if (this.#isLive) process.stderr.write(`${this.#clear}${seconds}`);
    else if (performance.now() - this.#saidMs >= PLAIN_MS) this.say(seconds.trim());
  }
}
