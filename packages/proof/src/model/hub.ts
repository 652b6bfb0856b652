/** The servers of all lanes of a run, and the connections to them. */
import { Link, type Outcome, type Request } from '@leasehold/live-store/link';

type Node = { readonly link: Link; isHeld: boolean };

/**
 * One connection to each server, shared by all lanes. PERF: what they send in one turn of the event
 * loop goes out in one write, and comes back in few reads; with a connection each, system calls were
 * half of the time.
 *
 * In a cluster each request goes to the primary that has the slot of its first key; nothing is
 * redirected, so that a request with keys of two slots is refused as it would be there.
 */
export class Hub {
  readonly url: string;
  readonly isCluster: boolean;
  readonly #nodes: readonly Node[];
  readonly #places = new Map<string, Node>();

  constructor(urls: readonly string[]) {
    this.url = urls[0] as string;
    this.isCluster = urls.length > 1;
    this.#nodes = urls.map((url) => ({
      link: new Link({
        url,
        timeoutMs: 60_000,
        localMs: () => performance.now(),
        onChange: () => undefined,
      }),
      isHeld: false,
    }));
  }

  async open(): Promise<void> {
    await Promise.all(this.#nodes.map(({ link }) => link.open()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(({ link }) => link.close()));
  }

  /** Runs a request on every server. Rejects when one of them refuses. */
  async everywhere(request: Request): Promise<void> {
    const outcomes = await Promise.all(this.#nodes.map((node) => send(node, [request], 'text')));
    for (const [outcome] of outcomes) if (outcome?.error !== undefined) throw outcome.error;
  }

  /** Finds out which primary has these keys. */
  async learn(keys: readonly string[]): Promise<void> {
    if (!this.isCluster) return;
    const first = this.#nodes[0] as Node;
    for (const tag of new Set(keys.map(tagOf))) {
      const [slot] = await send(first, [['CLUSTER', 'KEYSLOT', tag]], 'text');
      this.#places.set(tag, this.#nodes[ownerOf(Number(slot?.value))] as Node);
    }
  }

  async exec(requests: readonly Request[], replyAs: 'text' | 'bytes' = 'text'): Promise<Outcome[]> {
    const first = this.#nodes[0] as Node;
    if (!this.isCluster) return send(first, requests, replyAs);
    const groups = new Map<Node, number[]>();
    for (const [i, request] of requests.entries()) {
      const node = this.#places.get(tagOf(firstKey(request))) ?? first;
      const at = groups.get(node) ?? [];
      at.push(i);
      groups.set(node, at);
    }
    const outcomes: Outcome[] = [];
    await Promise.all(
      [...groups].map(async ([node, at]) => {
        const own = at.map((i) => requests[i] as Request);
        const found = await send(node, own, replyAs);
        for (const [k, i] of at.entries()) outcomes[i] = found[k] as Outcome;
      }),
    );
    return outcomes;
  }
}

function send(
  node: Node,
  requests: readonly Request[],
  replyAs: 'text' | 'bytes',
): Promise<Outcome[]> {
  const { stream } = node.link.redis;
  if (!node.isHeld) {
    node.isHeld = true;
    stream.cork();
    setImmediate(() => {
      node.isHeld = false;
      stream.uncork();
    });
  }
  return node.link.exec(requests, replyAs);
}

/** Slots of a cluster, and the primaries that share them in equal parts. */
export const SLOTS = 16_384;
export const PRIMARIES = 3;
export const firstSlotOf = (primary: number): number => Math.ceil((primary * SLOTS) / PRIMARIES);
const ownerOf = (slot: number): number => {
  const after = Array.from({ length: PRIMARIES }, (_, i) => i).filter(
    (i) => slot >= firstSlotOf(i),
  );
  return after.length - 1;
};

const tagOf = (key: string): string => key.slice(0, key.indexOf('}') + 1);

function firstKey([name, ...args]: Request): string {
  if (name.startsWith('FCALL')) return String(args[2]);
  if (name === 'XREAD') return String(args[args.indexOf('STREAMS') + 1]);
  return String(args[0]);
}
