/**
 * Small texts that tools keep beside a world for some time: what was answered to a repetition, how
 * far a job has come. They end with their incarnation, and never touch its state.
 */
import { checkRedisUrl } from './faults.ts';
import { type BlockGrid, Keys } from './keys.ts';
import { Link } from './link.ts';

const TIMEOUT_MS = 5_000;

export type LiveRecordsOptions = {
  readonly url: string;
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly grid: BlockGrid;
};

export async function openLiveRecords(options: LiveRecordsOptions): Promise<LiveRecords> {
  const records = new LiveRecords(options);
  await records.open();
  return records;
}

export class LiveRecords {
  readonly #keys: Keys;
  readonly #link: Link;

  /** Use `openLiveRecords`. */
  constructor({ url, world, incarnation, layer, grid }: LiveRecordsOptions) {
    this.#keys = new Keys(world, incarnation, layer, grid);
    this.#link = new Link({
      url: checkRedisUrl(url),
      timeoutMs: TIMEOUT_MS,
      localMs: () => performance.now(),
      onChange: () => undefined,
    });
  }

  async open(): Promise<void> {
    await this.#link.open();
  }

  async read(kind: string, id: string): Promise<string | undefined> {
    const text = (await this.#link.call(['GET', this.#keys.record(kind, id)])) as string | null;
    return text ?? undefined;
  }

  /** Writes a record that is not there; answers the one that is, and leaves that as it was. */
  async claim(kind: string, id: string, text: string, keptS: number): Promise<string | undefined> {
    const key = this.#keys.record(kind, id);
    const was = (await this.#link.call(['SET', key, text, 'NX', 'GET', 'EX', keptS])) as
      | string
      | null;
    return was ?? undefined;
  }

  async write(kind: string, id: string, text: string, keptS: number): Promise<void> {
    await this.#link.call(['SET', this.#keys.record(kind, id), text, 'EX', keptS]);
  }

  async drop(kind: string, id: string): Promise<void> {
    await this.#link.call(['DEL', this.#keys.record(kind, id)]);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
