/**
 * Asks as clients do that lose connections, lose patience, or ask twice: with one key, at any
 * replica, until there is an answer. What is answered must be the same however often it is asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@leasehold/kernel';
import type { Answer, Client, Sent } from './http.ts';

/** How a request is disturbed. */
const WAYS = ['plain', 'plain', 'plain', 'twice', 'lost', 'lost twice', 'thrice'] as const;
/** Around the time that a request takes, so that it is cut at every point of its way. */
const CUT_MS_MAX = 60;
/** What means: not now; the same request again is harmless. */
const LATER: ReadonlySet<number> = new Set([429, 503, 504]);
/** By then whoever was killed has been replaced, several times over. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;

export type Tally = { sent: number; lost: number; later: number; broken: number };

export class Asker {
  readonly #client: Client;
  readonly #urls: () => readonly string[];
  readonly #random: Random;
  readonly #tally: Tally;

  constructor(client: Client, urls: () => readonly string[], random: Random, tally: Tally) {
    this.#client = client;
    this.#urls = urls;
    this.#random = random;
    this.#tally = tally;
  }

  /** A definite answer. Throws when there is none, or when two of one request differ. */
  async ask(sent: Sent): Promise<Answer> {
    const random = this.#random;
    const way = WAYS[random.below(WAYS.length)] ?? 'plain';
    if (way === 'lost' || way === 'lost twice') {
      await this.#lose(sent);
      if (way === 'lost twice') await this.#lose(sent);
    }
    const times = way === 'twice' ? 2 : way === 'thrice' ? 3 : 1;
    const answers = await Promise.all(Array.from({ length: times }, () => this.once(sent)));
    const [first] = answers as [Answer];
    for (const { status, text } of answers) {
      if (status === first.status && (status >= 400 || text === first.text)) continue;
      const both = `${first.status} ${first.text} and ${status} ${text}`;
      throw new Error(`one key, asked at once, is answered ${both}`);
    }
    return first;
  }

  /** Asked until somebody answers. */
  async once(sent: Sent): Promise<Answer> {
    let last = 'nobody answers';
    const endMs = performance.now() + PATIENCE_MS;
    while (performance.now() < endMs) {
      try {
        this.#tally.sent++;
        const answer = await this.#client.send(this.#url, sent);
        if (!LATER.has(answer.status)) return answer;
        last = `${answer.status} ${answer.text}`;
        this.#tally.later++;
      } catch (error) {
        last = String(error);
        this.#tally.broken++;
      }
      await sleep(PAUSE_MS);
    }
    throw new Error(`${sent.method} ${sent.path} is not answered for ${PATIENCE_MS} ms: ${last}`);
  }

  async #lose(sent: Sent): Promise<void> {
    this.#tally.sent++;
    const cut = this.#client.send(this.#url, sent, this.#random.below(CUT_MS_MAX));
    await cut.then(
      () => undefined,
      () => {
        this.#tally.lost++;
      },
    );
  }

  get #url(): string {
    const urls = this.#urls();
    return urls[this.#random.below(urls.length)] ?? '';
  }
}
