/**
 * Follows the repositories of prefabs: what is new in one is checked and put in force, every so
 * often, and at once when somebody says that there is something. A commit is put in force once, so
 * that what people go back to afterwards stays. Any number of replicas may follow: what two of them
 * put in force is the same, and one that was slow is made up for by the next look.
 */
import { openControl } from '@leasehold/control';
import { hasCode } from '@leasehold/kernel';
import { checkedComponents } from '@leasehold/prefabs';
import { type Log, systemClock } from '@leasehold/service';
import { type Opened, type PrefabsOptions, withWorldPrefabs } from './prefabs.ts';
import type { OpenWorld, Worlds } from './worlds.ts';

/** The last commit that was looked at, and what came of it. */
export type Followed = {
  readonly version: string;
  /** Why it was not put in force. */
  readonly fault?: string;
};

export type FollowingOptions = PrefabsOptions & {
  readonly worlds: Worlds;
  readonly log: Log;
  /** 0 = only when somebody says so. */
  readonly pollMs: number;
};

type Kept = Followed & { readonly schema: string };
type Look = { isAgain: boolean };

const KIND = 'prefabs';
const ID = 'followed';
/** After a year without a commit the newest one may be put in force once more. */
const KEPT_S = 365 * 24 * 3_600;
const FAULT_SHOWN_MAX = 1_000;

export async function readFollowed({ records }: OpenWorld): Promise<Followed | undefined> {
  const text = await records.read(KIND, ID);
  if (text === undefined) return undefined;
  const { version, fault } = JSON.parse(text) as Kept;
  return { version, ...(fault === undefined ? {} : { fault }) };
}

export class PrefabFollowing {
  readonly #options: FollowingOptions;
  readonly #ending = new AbortController();
  /** Worlds that are being looked at. */
  readonly #looks = new Map<string, Look>();

  constructor(options: FollowingOptions) {
    this.#options = options;
    if (options.pollMs > 0) void this.#poll(options.pollMs);
  }

  /** Looks at the repository of a world as soon as possible; at most one look waits for another. */
  poke(open: OpenWorld): void {
    const { world } = open;
    const running = this.#looks.get(world);
    if (running !== undefined) {
      running.isAgain = true;
      return;
    }
    const look: Look = { isAgain: false };
    this.#looks.set(world, look);
    void this.#lookAgain(open, look);
  }

  /** A look that is under way ends by itself. */
  close(): void {
    this.#ending.abort();
  }

  async #poll(pollMs: number): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      for (const world of await this.#worldsWithPrefabs()) {
        const open = await this.#options.worlds.open(world).catch(() => undefined);
        if (open !== undefined) this.poke(open);
      }
      await systemClock.sleep(pollMs, signal).catch(() => undefined);
    }
  }

  async #worldsWithPrefabs(): Promise<string[]> {
    const { redisUrl, worlds, log } = this.#options;
    try {
      const control = await openControl(redisUrl);
      try {
        const names = await worlds.registry.worlds();
        const found = await Promise.all(
          names.map(async (name) => ((await control.prefabs(name)) === undefined ? [] : [name])),
        );
        return found.flat();
      } finally {
        await control.close();
      }
    } catch (error) {
      log.warn({ err: error }, 'repositories of prefabs cannot be looked at');
      return [];
    }
  }

  async #lookAgain(open: OpenWorld, look: Look): Promise<void> {
    do {
      look.isAgain = false;
      await this.#look(open).catch((error: unknown) =>
        this.#options.log.warn({ err: error, world: open.world }, 'prefabs cannot be followed'),
      );
    } while (look.isAgain && !this.#ending.signal.aborted);
    this.#looks.delete(open.world);
  }

  async #look(open: OpenWorld): Promise<void> {
    const { world, schemaMark: schema } = open;
    const components = checkedComponents(open.components);
    await withWorldPrefabs(this.#options, { world, components }, async (opened) => {
      const version = await opened.repository.commit();
      const text = await open.records.read(KIND, ID);
      const known = text === undefined ? undefined : (JSON.parse(text) as Kept);
      // Other components may make a commit fit that did not, or the other way round.
      if (known?.version === version && known.schema === schema) return;
      const fault = await this.#apply(world, opened, version);
      const kept: Kept = { version, schema, ...(fault === '' ? {} : { fault }) };
      await open.records.write(KIND, ID, JSON.stringify(kept), KEPT_S);
    });
  }

  /** What is wrong with a commit; '' when it is in force. */
  async #apply(world: string, { prefabs }: Opened, version: string): Promise<string> {
    const { log } = this.#options;
    try {
      await prefabs.apply(await prefabs.at(version));
      log.info({ world, version }, 'prefabs in force');
      return '';
    } catch (error) {
      // It is as wrong at the next look; whatever else failed may pass.
      if (!hasCode(error, 'PREFAB_INVALID') && !hasCode(error, 'LIMIT_EXCEEDED')) throw error;
      log.warn({ err: error, world, version }, 'prefabs refused');
      return error.message.slice(0, FAULT_SHOWN_MAX);
    }
  }
}
