/**
 * Who is to exist in a layer once all that waits for it has been taken. Word of a birth is a row in
 * another layer's channel; word of a death is a letter, which may be in any channel or inbox on its way.
 */
import { hashOf } from '@leasehold/kernel';
import {
  addressOf,
  cellOfAddress,
  channelKind,
  decodeOutbox,
  decodePost,
  inspectRows,
  type Letter,
  layerOfAddress,
} from '@leasehold/protocol';
import type { OutReading } from './reading.ts';

export type Existing = { readonly count: number; readonly hash: string };

export class ExistingTaker {
  /** The number of the layer. */
  readonly #layer: number;
  readonly #born = new Set<number>();
  readonly #ended = new Set<number>();

  constructor(layer: number) {
    this.#layer = layer;
  }

  /** An entry of a channel of the layer itself. */
  addOwn({ body }: OutReading): void {
    this.#endAll(body);
  }

  /** An entry of a channel of another one. `cursors`: of the cell that it is for. */
  addForeign(
    source: { readonly layer: number; readonly cell: number },
    { to, seq, body }: OutReading,
    cursorsOf: (cell: number) => ReadonlyMap<number, number> | undefined,
  ): void {
    if (layerOfAddress(to) !== this.#layer) return;
    this.#endAll(body);
    const consumed = cursorsOf(cellOfAddress(to))?.get(addressOf(source.layer, source.cell)) ?? 0;
    if (seq <= consumed || channelKind(body) !== 'rows') return;
    for (const id of inspectRows(body).ids) this.#born.add(id);
  }

  /** What is in an inbox of the layer. */
  addPost(body: Uint8Array): void {
    const post = decodePost(body);
    if ('letters' in post) for (const letter of post.letters) this.#end(letter);
  }

  #endAll(body: Uint8Array): void {
    const kind = channelKind(body);
    if (kind === 'rows') return;
    const post = kind === 'outbox' ? { letters: decodeOutbox(body).far } : decodePost(body);
    if ('letters' in post) for (const letter of post.letters) this.#end(letter);
  }

  #end({ to, request }: Letter): void {
    if (request?.kind === 'ended') this.#ended.add(to);
  }

  /** `here`: who is in cells of the layer, or between them. */
  finish(here: Iterable<number>): Existing {
    const all = new Set([...here, ...this.#born]);
    for (const id of this.#ended) all.delete(id);
    const ids = Float64Array.from(all).sort();
    return { count: ids.length, hash: hashOf(new Uint8Array(ids.buffer)) };
  }
}
