/**
 * Follows a repository: looks at it every so often, and at once when somebody says that it has
 * changed. Each new commit is told once.
 */
import type { PrefabRepository } from './repository.ts';

export type FollowerOptions = {
  readonly repository: PrefabRepository;
  readonly pollMs: number;
  /** The commit that is known already; '' = none. */
  readonly seen: string;
  /** What it throws is a fault, and the commit is not told again. */
  readonly onCommit: (commit: string) => Promise<void>;
  readonly onFault: (error: unknown) => void;
};

export class PrefabFollower {
  readonly #options: FollowerOptions;
  #seen: string;
  #isPoked = false;
  #wake: () => void = () => undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#seen = options.seen;
  }

  /** Looks as soon as possible, as a webhook asks for it. */
  poke(): void {
    this.#isPoked = true;
    this.#wake();
  }

  /** Returns when the signal says so. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#isPoked = false;
      await this.#look();
      if (!this.#isPoked) await this.#pause(signal);
    }
  }

  async #look(): Promise<void> {
    const { repository, onCommit, onFault } = this.#options;
    try {
      await repository.refresh();
      const commit = await repository.commit();
      if (commit === this.#seen) return;
      this.#seen = commit;
      await onCommit(commit);
    } catch (error) {
      onFault(error);
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(end, this.#options.pollMs);
      signal.addEventListener('abort', end);
      this.#wake = end;
      if (signal.aborted) end();
    });
  }
}
