/**
 * The database of snapshots, opened when it is first asked for: worlds are served while it is away,
 * and where there is none at all.
 */
import { LeaseholdError, type Log } from '@leasehold/kernel';
import { openSnapshotStore, type SnapshotStore } from '@leasehold/snapshot-store';

export type SnapshotDatabaseOptions = {
  /** '' = none. */
  readonly url: string;
  readonly log: Log;
};

export class SnapshotDatabase {
  readonly #options: SnapshotDatabaseOptions;
  #opening: Promise<SnapshotStore> | undefined;

  constructor(options: SnapshotDatabaseOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#options.url !== '';
  }

  /** Errors: `SNAPSHOTS_OFF`. */
  expectOn(): void {
    if (this.isOn) return;
    throw new LeaseholdError('SNAPSHOTS_OFF', 'this service was started without a database', {
      field: 'SNAPSHOTS_URL',
      value: '',
      remedy: 'Start it with SNAPSHOTS_URL or DATABASE_URL: a PostgreSQL with PostGIS.',
    });
  }

  /** One that could not be opened is tried again. Errors: `SNAPSHOTS_OFF`, those of `openSnapshotStore`. */
  store(): Promise<SnapshotStore> {
    this.expectOn();
    const { url, log } = this.#options;
    this.#opening ??= openSnapshotStore({ url, log: (line) => log.info({}, line) });
    const opening = this.#opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  async close(): Promise<void> {
    const store = await this.#opening?.catch(() => undefined);
    await store?.close();
  }
}
