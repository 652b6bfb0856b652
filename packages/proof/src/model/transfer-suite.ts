/**
 * Goal: every living entity is in one place: one cell, or one channel beyond its reader's cursor.
 * Method: the parts of three pods, moved by hand on two neighbouring cells, with lost replies,
 * deaths, false suspicions, trims and failovers; what the store holds is counted.
 */
import type { LiveStore } from '@leasehold/live-store';
import { type Commit, decodeRows, type Head, inspectCommit, type Store } from '@leasehold/protocol';
import { component, f64, simulation, system } from '@leasehold/sdk';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { type Lane, START_MS } from './lane.ts';
import { ModelPod } from './model-pod.ts';
import { type Command, type Suite, type Tally, Violation } from './suite.ts';
import type { WireFault } from './wire.ts';

const CELLS = [0, 1] as const;
const PODS = 3;
const BORDER = 100;
/** Rounds after the last fault within which everything is where it belongs. */
const ROUNDS_MAX = 12;

export const transferSuite: Suite = {
  name: 'transfer',
  rules: ['L1', 'L3', 'E1', 'E2', 'W1'],
  cells: CELLS.length,
  isFollowing: true,
  ops: {
    ...{ claim: 10, run: 14, cross: 16, bear: 8, delete: 4, busy: 3, read: 12, trim: 6 },
    ...{ lost: 5, late: 3, deliver: 3, leave: 4, crash: 4, chase: 3 },
    ...{ replicate: 4, failover: 5, lag: 3 },
  },
  async play(lane, setup, commands, tally) {
    await lane.reset(setup % 4 === 0 ? 0 : 1);
    const run = new TransferRun(lane, tally);
    await run.begin();
    for (const command of commands) await run.do(command);
    await run.rest();
  },
};

type Order = 'cross' | 'delete' | 'bear';
type Orders = (id: number) => Order | undefined;
const atEase: Orders = () => undefined;

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });

/** A world whose entities do what they are told in the tick that runs. */
const obedientTo = (orders: Orders) =>
  simulation({
    components: [Position],
    systems: [
      system({
        name: 'obey',
        writes: { position: Position },
        each({ position }, ctx) {
          switch (orders(ctx.id)) {
            case 'cross':
              position.x = 2 * BORDER - position.x;
              break;
            case 'bear':
              ctx.spawn(Position({ x: position.x, y: position.y }));
              break;
            case 'delete':
              ctx.despawn();
              break;
            default:
          }
        },
      }),
    ],
    seed({ spawn }) {
      for (const x of [50, 150]) for (const y of [25, 75]) spawn(Position({ x, y }));
    },
  });

/** An engine, and what its entities are told in the tick that runs. */
class Drill {
  readonly engine: Engine;
  orders = atEase;

  constructor({ grid }: Lane) {
    const options = { layer: 'main', grid, seed: 7, tickHz: 10, params: {} };
    this.engine = compile(
      obedientTo((id) => this.orders(id)),
      options,
    );
  }
}

/** PERF: code that is compiled anew for each history stays slow in all of them. */
const drills = new WeakMap<Lane, Drill>();

function drillOf(lane: Lane): Drill {
  const drill = drills.get(lane) ?? new Drill(lane);
  drills.set(lane, drill);
  return drill;
}

class TransferRun {
  readonly #lane: Lane;
  readonly #tally: Tally;
  readonly #drill: Drill;
  readonly #watcher: LiveStore;
  readonly #pods: ModelPod[] = [];
  /** Every commit that was ever sent, by its hash. */
  readonly #sent = new Map<string, { readonly prevHash: string; readonly body: Uint8Array }>();
  readonly #dead: string[] = [];
  readonly #world = { tick: 0 };
  #localMs = 0;
  #started = 0;

  constructor(lane: Lane, tally: Tally) {
    this.#lane = lane;
    this.#tally = tally;
    this.#watcher = lane.store(PODS);
    this.#drill = drillOf(lane);
    this.#drill.orders = atEase;
  }

  /** Each cell has an entry 1 with two entities; the pods have begun and hold nothing. */
  async begin(): Promise<void> {
    await this.#lane.seed(await this.#drill.engine.seed(), (commit) => {
      this.#sent.set(commit.hash, commit);
    });
    for (let i = 0; i < PODS; i++) this.#start(i);
  }

  #start(i: number): void {
    this.#pods[i] = new ModelPod({
      pod: `pod-${++this.#started}`,
      store: this.#recorded(this.#lane.store(i)),
      engine: this.#drill.engine,
      world: this.#world,
      clock: { nowMs: () => this.#nextMs(), sleep: () => Promise.resolve() },
    });
  }

  /** No two rounds begin at the same moment. */
  #nextMs(): number {
    this.#localMs += 0.01;
    return this.#localMs;
  }

  /** The store as it is, but that what is committed is written down, and time is the history's. */
  #recorded(store: LiveStore): Store {
    return new Proxy<Store>(store, {
      get: (target, name) => {
        if (name === 'nowMs') return () => START_MS;
        if (name === 'commit') {
          return (commits: readonly Commit[]) => {
            for (const commit of commits) this.#sent.set(commit.hash, commit);
            return target.commit(commits);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  async do([op, a, b]: Command): Promise<void> {
    this.#localMs += 700;
    this.#tally.note(op, await this.#run(op, a, b));
    // PERF: a look at all that is stored takes eight round trips, four times a command.
    if (b % 3 === 0 || op === 'failover' || op === 'chase') await this.#expectPlaces();
  }

  async #run(op: string, a: number, b: number): Promise<boolean> {
    const i = a % PODS;
    const pod = this.#pods[i] as ModelPod;
    switch (op) {
      case 'claim':
        return this.#claim(pod, b);
      case 'run':
        return this.#tick(await this.#holder(a), b, undefined);
      case 'cross':
      case 'bear':
      case 'delete':
        return this.#tick(await this.#holder(a), b, op);
      case 'busy':
        return this.#busy(await this.#holder(a));
      case 'lost':
      case 'late':
        return this.#unsure(await this.#holder(a), b, op);
      case 'deliver':
        await this.#lane.deliverLate();
        return true;
      case 'read':
        return this.#read(await this.#holder(a));
      case 'trim':
        return this.#trim(await this.#holder(a));
      case 'leave':
        return this.#leave(await this.#holder(a));
      case 'crash':
        return this.#crash(i);
      case 'chase':
        return this.#chase(a);
      case 'replicate':
        this.#lane.isReplicating = true;
        await this.#lane.keep();
        return true;
      case 'lag':
        this.#lane.isReplicating = !this.#lane.isReplicating;
        return true;
      default:
        this.#lane.dropLate();
        this.#lane.isReplicating = true;
        await this.#lane.failOver();
        return true;
    }
  }

  /** Rejected calls are ordinary: the loops of a pod say it and go on. */
  async #calmly(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const isOrdinary = error instanceof Error && /nothing is certain|lost/.test(error.message);
      if (isOrdinary) return false;
      throw new Violation('L3', error instanceof Error ? (error.stack ?? '') : String(error));
    }
  }

  /** A pod that holds something, most often the one that was meant. */
  async #holder(a: number): Promise<ModelPod> {
    const holding = this.#pods.filter(({ holdings }) => holdings.size > 0);
    const pod = holding[a % holding.length];
    if (pod !== undefined) return pod;
    const other = this.#pods[a % PODS] as ModelPod;
    await this.#claim(other, a);
    return other;
  }

  async #claim(pod: ModelPod, b: number): Promise<boolean> {
    const cell = b % CELLS.length;
    // Being wrong about who is dead costs one handover, and nothing else.
    const suspects = (b >> 1) % 3 === 0 ? this.#pods.map((each) => each.pod) : [];
    const dead = [...this.#dead, ...suspects].filter((name) => name !== pod.pod);
    let isTaken = false;
    await this.#calmly(async () => {
      isTaken = await pod.claim(cell, dead.slice(-16));
    });
    return isTaken;
  }

  /** One entity of the pod's, the n-th, is told what to do. */
  async #tick(pod: ModelPod, n: number, order: Order | undefined): Promise<boolean> {
    const ids = [...pod.holdings.values()].flatMap(({ state }) =>
      [...state.table.ids.subarray(0, state.table.count)].map(Number),
    );
    const chosen = ids[n % ids.length];
    this.#drill.orders = (id) => (id === chosen ? order : undefined);
    const isDone = await this.#calmly(() => pod.run());
    this.#drill.orders = atEase;
    return isDone && (order === undefined || chosen !== undefined);
  }

  /** A busy border: everybody crosses, many ticks long. */
  async #busy(pod: ModelPod): Promise<boolean> {
    for (let i = 0; i < 2; i++) {
      this.#drill.orders = () => 'cross';
      await this.#calmly(() => pod.run());
      this.#drill.orders = atEase;
      for (const other of this.#pods) {
        if (other === pod || other.holdings.size === 0) continue;
        await this.#calmly(() => other.read());
        this.#drill.orders = () => 'cross';
        await this.#calmly(() => other.run());
        this.#drill.orders = atEase;
      }
      await this.#calmly(() => pod.read());
    }
    return true;
  }

  async #unsure(pod: ModelPod, b: number, fault: WireFault): Promise<boolean> {
    this.#lane.meddle(fault);
    await this.#tick(pod, b, 'cross');
    this.#lane.dropFaults();
    return true;
  }

  async #read(pod: ModelPod): Promise<boolean> {
    const before = [...pod.holdings.values()].reduce(
      (sum, { arrivals }) => sum + arrivals.length,
      0,
    );
    await this.#calmly(() => pod.read());
    const after = [...pod.holdings.values()].reduce(
      (sum, { arrivals }) => sum + arrivals.length,
      0,
    );
    return after > before || before === 0;
  }

  async #trim(pod: ModelPod): Promise<boolean> {
    this.#localMs += 2_000;
    await this.#calmly(() => pod.learnTrims());
    const isDue = pod.trims > 0;
    await this.#calmly(() => pod.run());
    return isDue;
  }

  async #leave(pod: ModelPod): Promise<boolean> {
    const [holding] = pod.holdings.values();
    if (holding === undefined) return false;
    // It leaves behind a barrier, which does not come while the replicas lag.
    this.#lane.isReplicating = true;
    holding.leavingTo = '';
    for (let i = 0; i < 4 && pod.holdings.has(holding.cell); i++)
      await this.#tick(pod, 0, undefined);
    return !pod.holdings.has(holding.cell);
  }

  /** The pod and all it remembers is gone; another process begins in its place. */
  #crash(i: number): boolean {
    const pod = this.#pods[i] as ModelPod;
    this.#dead.push(pod.pod);
    this.#start(i);
    return pod.holdings.size > 0;
  }

  /** E1: who has read is gone with what it knew, when the sender has already dropped what it sent. */
  async #chase(a: number): Promise<boolean> {
    const [first, second] = [this.#pods[a % PODS], this.#pods[(a + 1) % PODS]] as [
      ModelPod,
      ModelPod,
    ];
    const others = [...this.#dead, ...this.#pods.map(({ pod }) => pod)].slice(-16);
    this.#lane.isReplicating = true;
    for (const [cell, pod] of [first, second].entries()) {
      await this.#calmly(() =>
        pod.claim(
          cell,
          others.filter((name) => name !== pod.pod),
        ),
      );
    }
    await this.#busy(first);
    await this.#calmly(() => second.read());
    await this.#tick(second, 0, undefined);
    this.#localMs += 3_000;
    this.#lane.isReplicating = a % 2 === 0;
    await this.#calmly(() => first.learnTrims());
    await this.#tick(first, 0, 'cross');
    this.#crash(this.#pods.indexOf(second));
    this.#lane.dropLate();
    await this.#lane.failOver();
    this.#lane.isReplicating = true;
    await this.#calmly(() => first.run());
    return true;
  }

  // ---- what the store holds ----

  async #expectPlaces(): Promise<number> {
    const heads = (await this.#watcher.heads(CELLS)) as Head[];
    const alive = this.#alive(heads);
    const places = new Map<number, string[]>();
    const put = (id: number, place: string): void => {
      places.set(id, [...(places.get(id) ?? []), place]);
    };
    let inFlight = 0;
    for (const image of await this.#images()) {
      const state = this.#drill.engine.createCell(image.cell);
      state.restore(image);
      const { table } = state;
      for (const id of table.ids.subarray(0, table.count)) put(Number(id), `cell ${image.cell}`);
      for (const entry of await this.#watcher.channel(image.cell, 0)) {
        if (entry.seq <= (heads[entry.to]?.cursors.get(entry.from) ?? 0)) continue;
        inFlight++;
        const { rows } = decodeRows(entry.body, this.#drill.engine.schema);
        for (const id of rows.ids.subarray(0, rows.count)) put(Number(id), `channel ${entry.from}`);
      }
    }
    for (const id of alive) {
      const found = places.get(id) ?? [];
      if (found.length !== 1)
        throw new Violation('E1', `${id} is in ${found.join(', ') || 'none'}`);
    }
    for (const [id, found] of places) {
      if (!alive.has(id)) throw new Violation('E2', `${id} does not live, and is in ${found}`);
    }
    return inFlight;
  }

  #images() {
    return this.#watcher.load(CELLS.map((cell) => ({ cell }))).catch((error: Error) => {
      throw new Violation('L3', `a stored chain: ${error.message}`);
    });
  }

  /** E2: born and not dead, in the history that survives. */
  #alive(heads: readonly Head[]): Set<number> {
    const born: number[] = [];
    const dead = new Set<number>();
    for (const { hash: last, cell } of heads) {
      for (let hash = last; hash !== ''; ) {
        const commit = this.#sent.get(hash);
        if (commit === undefined) throw new Violation('L3', `nobody wrote ${hash} of cell ${cell}`);
        const { births, deaths } = inspectCommit(commit.body);
        born.push(...births);
        for (const id of deaths) dead.add(id);
        hash = commit.prevHash;
      }
    }
    const alive = new Set(born);
    if (alive.size < born.length) throw new Violation('E2', 'an entity was born twice');
    for (const id of dead) alive.delete(id);
    return alive;
  }

  /** At rest nobody is on the way any more. */
  async rest(): Promise<void> {
    this.#lane.isReplicating = true;
    this.#lane.dropLate();
    for (let round = 0; round < ROUNDS_MAX; round++) {
      for (const [i, pod] of this.#pods.entries()) {
        this.#localMs += 700;
        await this.#calmly(() => pod.renew());
        await this.#calmly(() => pod.read());
        await this.#tick(pod, 0, undefined);
        const isFree = CELLS.filter(
          (cell) => !this.#pods.some(({ holdings }) => holdings.has(cell)),
        );
        for (const cell of isFree) await this.#claim(this.#pods[i] as ModelPod, cell);
      }
      const isCalm = (await this.#expectPlaces()) === 0 && round > 0;
      if (isCalm && (await this.#expectProgress())) return;
    }
    throw new Violation('E1', 'somebody is still on the way at rest');
  }

  /** W1: what is held goes on. False if a pod only now heard that a cell is not its own. */
  async #expectProgress(): Promise<boolean> {
    const before = (await this.#watcher.heads(CELLS)) as Head[];
    const busy = this.#pods.flatMap(({ holdings }) =>
      [...holdings.values()].filter(({ state }) => state.table.count > 0).map(({ cell }) => cell),
    );
    this.#drill.orders = () => 'bear';
    for (let i = 0; i < 3; i++) for (const pod of this.#pods) await this.#calmly(() => pod.run());
    this.#drill.orders = atEase;
    const after = (await this.#watcher.heads(CELLS)) as Head[];
    const isHeld = (cell: number): boolean => this.#pods.some(({ holdings }) => holdings.has(cell));
    if (!busy.every(isHeld)) return false;
    for (const cell of busy) {
      if ((after[cell]?.seq ?? 0) > (before[cell]?.seq ?? 0)) continue;
      throw new Violation('W1', `cell ${cell} is held and does not go on`);
    }
    return true;
  }
}
