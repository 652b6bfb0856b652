/**
 * A hundred clients with areas of their own, encoded by the hub of a gateway and by @colyseus/schema
 * with StateViews: the same world, the same ticks, one after the other in one process.
 *
 * On either side counts the CPU of the process from the changes of a tick, as that side's server
 * gets them, to the bytes that a socket would be handed: for the hub commits read from a store in
 * memory (decoded, applied, published, encoded), for the room fields set on its entities, views
 * kept, patches encoded. "Encoding alone" leaves out, on both sides, what it takes to have the
 * changes: a second hub without clients reads and publishes the same commits, and setting fields is
 * counted by itself. Neither has sockets. Who enters and leaves a view is worked out by the hub
 * itself, and for the room beforehand, for nothing.
 */
import { AreaShape } from '@leasehold/spatial';
import { ColyseusRoom } from './colyseus.ts';
import { type Figure, median } from './figure.ts';
import { type Box, type HubClient, openHubWorld, type Places, type Size } from './view-hub.ts';

export type Rounds = Size & {
  readonly clients: number;
  readonly rounds: number;
  readonly ticks: number;
};

/** Before the first round: whatever is compiled and grown is then. */
const WARM_ROUNDS = 2;
/** Half a step, and half a step of a 32-bit float in a world of 2,500 units. */
const PLACE_SLACK = 0.0051;
const FLOAT_SLACK = 0.0002;

/** `intakeNs`: what of the CPU goes into taking in the changes, whoever looks. */
type Side = { ns: number; intakeNs: number; updates: number; bytes: number };
type Round = { readonly hub: Side; readonly room: Side };

/** Throws if either side's first client does not see what it should. */
export async function compareViews(
  extent: Rounds,
  partOf: (i: number) => Box,
  say: (line: string) => void,
): Promise<Figure[]> {
  const world = await openHubWorld(extent);
  try {
    const areas = Array.from({ length: extent.clients }, (_, i) => partOf(i));
    const race = new Race(world, areas);
    await race.warmUp();
    const rounds: Round[] = [];
    for (let i = 0; i < WARM_ROUNDS + extent.rounds; i++) {
      const round = await race.run(extent.ticks);
      if (i >= WARM_ROUNDS) rounds.push(round);
    }
    race.check();
    say(`${race.inView.toFixed(0)} entities in a view, ${extent.rounds} rounds`);
    return figures(rounds, extent);
  } finally {
    await world.close();
  }
}

type World = Awaited<ReturnType<typeof openHubWorld>>;

class Race {
  readonly #world: World;
  readonly #clients: readonly HubClient[];
  readonly #room: ColyseusRoom;
  readonly #members: readonly Members[];
  #places: Places;

  constructor(world: World, areas: readonly Box[]) {
    this.#world = world;
    this.#clients = areas.map((area, i) => world.join(area, i === 0));
    this.#room = new ColyseusRoom(areas.length);
    this.#members = areas.map((area) => new Members(new AreaShape(world.grid, area)));
    this.#places = world.places();
  }

  get inView(): number {
    const sum = this.#members.reduce((n, { ids }) => n + ids.size, 0);
    return sum / this.#members.length;
  }

  async warmUp(): Promise<void> {
    for (let i = 0; i < 3; i++) await this.#world.tell();
    this.#places = this.#world.places();
    const { ids, xs, ys } = this.#places;
    for (const [i, id] of ids.entries()) this.#room.spawn(id, xs[i] as number, ys[i] as number);
    this.#room.greet();
    for (const [client, members] of this.#members.entries()) {
      for (const id of members.turn(this.#places).entered) this.#room.enter(client, id);
    }
    this.#room.decode(this.#room.patch());
  }

  /** Some ticks by the hub, then the very same ticks by the room. */
  async run(ticks: number): Promise<Round> {
    const { hub } = this.#world;
    const bytesOf = () => this.#clients.reduce((sum, { bytes }) => sum + bytes, 0);
    const before = { updates: hub.counts.updates, bytes: bytesOf() };
    const recorded: Places[] = [];
    let ns = 0;
    let intakeNs = 0;
    for (let tick = 0; tick < ticks; tick++) await this.#world.tick();
    for (let tick = 0; tick < ticks; tick++) {
      const cpu = process.cpuUsage();
      await this.#world.tell();
      ns += nsSince(cpu);
      recorded.push(this.#world.places());
    }
    for (let tick = 0; tick < ticks; tick++) {
      const cpu = process.cpuUsage();
      await this.#world.takeIn();
      intakeNs += nsSince(cpu);
    }
    const updates = hub.counts.updates - before.updates;
    const side = { ns, intakeNs, updates, bytes: bytesOf() - before.bytes };
    return { hub: side, room: this.#runRoom(recorded) };
  }

  #runRoom(recorded: readonly Places[]): Side {
    const room = this.#room;
    const before = room.bytes;
    let ns = 0;
    let intakeNs = 0;
    let updates = 0;
    for (const places of recorded) {
      const turns = this.#members.map((members) => members.turn(places));
      for (const { told } of turns) updates += told;
      const cpu = process.cpuUsage();
      const { ids, xs, ys } = places;
      for (let i = 0; i < ids.length; i++) {
        room.move(ids[i] as number, xs[i] as number, ys[i] as number);
      }
      intakeNs += nsSince(cpu);
      for (const [client, { entered, left }] of turns.entries()) {
        for (const id of left) room.leave(client, id);
        for (const id of entered) room.enter(client, id);
      }
      const patch = room.patch();
      ns += nsSince(cpu);
      room.decode(patch);
      this.#places = places;
    }
    return { ns, intakeNs, updates, bytes: room.bytes - before };
  }

  /** Both sides' first clients, against the places themselves. */
  check(): void {
    const { ids, xs, ys } = this.#places;
    const members = (this.#members[0] as Members).ids;
    const seen = this.#room.seen();
    const decoded = decodedBy(this.#clients[0] as HubClient);
    if (seen.size !== members.size || decoded.size !== members.size) {
      throw new Error(`${members.size} are in view; ${decoded.size} and ${seen.size} are seen`);
    }
    for (const [i, id] of ids.entries()) {
      if (!members.has(id)) continue;
      expectNear(decoded.get(id), xs[i] as number, ys[i] as number, PLACE_SLACK);
      expectNear(seen.get(id), xs[i] as number, ys[i] as number, FLOAT_SLACK);
    }
  }
}

/** Who is in an area, tick by tick. */
class Members {
  ids = new Set<number>();
  readonly #shape: AreaShape;

  constructor(shape: AreaShape) {
    this.#shape = shape;
  }

  turn({ ids, xs, ys }: Places) {
    const now = new Set<number>();
    for (let i = 0; i < ids.length; i++) {
      if (this.#shape.contains(xs[i] as number, ys[i] as number)) now.add(ids[i] as number);
    }
    const entered = [...now].filter((id) => !this.ids.has(id));
    const left = [...this.ids].filter((id) => !now.has(id));
    this.ids = now;
    return { entered, left, told: now.size + left.length };
  }
}

function nsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1_000;
}

type Place = { readonly x: number; readonly y: number };

function decodedBy({ cells }: HubClient): Map<number, Place> {
  const places = new Map<number, Place>();
  for (const { ids, count, shape, columns } of cells?.values() ?? []) {
    const c = shape.components.findIndex(({ name }) => name === 'position');
    for (let row = 0; row < count; row++) {
      const [x, y] = [Number(columns[c]?.[0]?.[row]), Number(columns[c]?.[1]?.[row])];
      places.set(ids[row] as number, { x, y });
    }
  }
  return places;
}

function expectNear(seen: Place | undefined, x: number, y: number, slack: number): void {
  if (seen !== undefined && Math.hypot(seen.x - x, seen.y - y) <= slack * Math.SQRT2) return;
  throw new Error(`an entity at ${x}, ${y} is seen at ${seen?.x}, ${seen?.y}`);
}

function figures(rounds: readonly Round[], { clients }: Rounds): Figure[] {
  const perCore = ({ ns, updates }: Side): number => updates / (ns / 1e9);
  const told = ({ ns, intakeNs, updates }: Side): number => updates / ((ns - intakeNs) / 1e9);
  const bytesOf = ({ bytes, updates }: Side): number => bytes / updates;
  const times = rounds.map(({ hub, room }) => perCore(hub) / perCore(room));
  const toldTimes = rounds.map(({ hub, room }) => told(hub) / told(room));
  const less = rounds.map(({ hub, room }) => bytesOf(hub) / bytesOf(room));
  const of = (value: (round: Round) => number): number => median(rounds.map(value));
  const what = `${clients} views of their own, encoded:`;
  return [
    { name: `${what} updates a second and core`, value: of(({ hub }) => perCore(hub)), unit: '/s' },
    { name: 'the same by @colyseus/schema 4', value: of(({ room }) => perCore(room)), unit: '/s' },
    {
      ...{ name: 'as many times, the median of the rounds', value: median(times), unit: '×' },
      ...{ target: '≥ 10', isMet: median(times) >= 10 },
    },
    { name: 'as many times, the worst round', value: Math.min(...times), unit: '×' },
    {
      name: 'encoding alone: updates a second and core',
      value: of(({ hub }) => told(hub)),
      unit: '/s',
    },
    {
      name: 'the same by @colyseus/schema 4, alone',
      value: of(({ room }) => told(room)),
      unit: '/s',
    },
    { name: 'as many times, encoding alone', value: median(toldTimes), unit: '×' },
    { name: `${what} bytes of an update`, value: of(({ hub }) => bytesOf(hub)), unit: 'bytes' },
    {
      name: 'bytes of an update by @colyseus/schema 4',
      value: of(({ room }) => bytesOf(room)),
      unit: 'bytes',
    },
    {
      ...{
        name: 'part of their bytes, the worst round',
        value: Math.max(...less),
        unit: 'of them',
      },
      ...{ target: '≤ 0.5', isMet: Math.max(...less) <= 0.5 },
    },
  ];
}
