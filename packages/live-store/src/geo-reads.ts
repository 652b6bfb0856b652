/** Reads the GEO indexes of cells: hints about where entities are, never the truth. */
import { assert } from '@leasehold/kernel';
import {
  LOCATE_CELLS_MAX,
  NEAR_COUNT_MAX,
  NEAR_SEARCHES_MAX,
  type NearCandidate,
  type NearSearch,
} from '@leasehold/protocol';
import type { Keys } from './keys.ts';
import type { Link, Outcome, Request } from './link.ts';

export class GeoReads {
  readonly #link: Link;
  readonly #keys: Keys;

  constructor(link: Link, keys: Keys) {
    this.#link = link;
    this.#keys = keys;
  }

  async locate(id: number, cells: readonly number[]): Promise<number[]> {
    assert(cells.length <= LOCATE_CELLS_MAX, `${cells.length} cells are too many for one locate`);
    const known = cells.filter((cell) => this.#keys.has(cell));
    if (known.length === 0) return [];
    const scores = await this.#read(known.map((cell) => ['ZSCORE', this.#geo(cell), String(id)]));
    return known.filter((_, i) => scores[i] !== undefined && scores[i] !== null);
  }

  async near(searches: readonly NearSearch[], count: number): Promise<NearCandidate[][]> {
    assert(searches.length <= NEAR_SEARCHES_MAX, `${searches.length} searches are too many`);
    assert(count >= 1 && count <= NEAR_COUNT_MAX, `a count of ${count} is not within the limits`);
    const known = searches.filter(({ cell }) => this.#keys.has(cell));
    if (known.length === 0) return searches.map(() => []);
    const replies = await this.#read(
      known.map(({ cell, longitude, latitude, radiusM }): Request => {
        // Asked from exactly 180, Redis does not see beyond the seam.
        const west = longitude === 180 ? -180 : longitude;
        const from = ['FROMLONLAT', west, latitude, 'BYRADIUS', radiusM, 'm'] as const;
        return ['GEOSEARCH', this.#geo(cell), ...from, 'ASC', 'COUNT', count, ...WITH];
      }),
    );
    const found = new Map(known.map((search, i) => [search, readCandidates(replies[i])]));
    return searches.map((search) => found.get(search) ?? []);
  }

  #geo(cell: number): string {
    return this.#keys.cell(cell).geo;
  }

  /** A key that is no index answers nothing; a connection that breaks rejects. */
  async #read(requests: readonly Request[]): Promise<unknown[]> {
    const outcomes = await this.#link.exec(requests);
    return outcomes.map((outcome: Outcome) => {
      if (outcome.error === undefined) return outcome.value;
      if (outcome.error.message.startsWith('WRONGTYPE')) return undefined;
      throw outcome.error;
    });
  }
}

const WITH = ['WITHCOORD', 'WITHDIST'] as const;

/** Reply of GEOSEARCH: member, distance, [longitude, latitude]. A member that is no id is none. */
function readCandidates(reply: unknown): NearCandidate[] {
  if (!Array.isArray(reply)) return [];
  return (reply as [string, string, [string, string]][]).flatMap(([member, distance, at]) => {
    const id = Number(member);
    if (!Number.isSafeInteger(id) || String(id) !== member) return [];
    return [
      {
        id,
        longitude: Number(at[0]),
        latitude: Number(at[1]),
        distanceM: Number(distance),
      },
    ];
  });
}
