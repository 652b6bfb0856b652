/** A world of trees that runs in real processes, for tests of what becomes of a part of it. */
import { eventually, type Spawned } from '@leasehold/testkit';
import type { User } from '../command-fixture.ts';

const START_MS = 60_000;

/** A hundred stand four apart on cells of ten. Nothing moves but what is asked to. */
const MODULE = `
import { bool, component, entity, f32, f64, i32, json, simulation, string, system } from '@leasehold/sdk';
const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Tree = component('tree', 1, { height: f32, rings: i32, isIll: bool, name: string, near: entity, notes: json });
const Mark = component('mark', 1, {});
const Fruit = component('fruit', 1, { count: i32 });
export default simulation({
  components: [Position, Tree, Mark, Fruit],
  systems: [system({ name: 'rot', writes: { fruit: Fruit }, each({ fruit }) {
    if (fruit.count < 0) fruit.count = 0;
  } })],
  seed({ spawn }) {
    for (let i = 0; i < 100; i++) {
      const [x, y] = [2 + (i % 10) * 4, 2 + Math.floor(i / 10) * 4];
      const notes = { at: [x, y / 3], 'ä "b"': null };
      const tree = Tree({ height: 0.1 + i, rings: -i, isIll: i % 2 === 0, name: 'tree\\n' + i, near: i, notes });
      if (i % 3 === 0) spawn(Position({ x, y }), tree, Fruit({ count: i }));
      else spawn(Position({ x, y }), tree, Mark());
    }
  },
});
`;

const manifestOf = (world: string, layers: string): string => `world: ${world}
module: world.ts
space: {kind: plane, width: 40, height: 40, cell: 10}
blockCells: 2
${layers}`;

export type Components = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type Entity = { readonly id: number; readonly components: Components };

type Running = { readonly name: string; readonly api: string; readonly run: Spawned };

/** A world that runs with two pods and its API, and what is typed beside it. */
export class Meadow {
  readonly name: string;
  readonly #user: User;
  readonly #api: string;
  readonly #run: Spawned;

  private constructor(user: User, { name, api, run }: Running) {
    this.name = name;
    this.#user = user;
    this.#api = api;
    this.#run = run;
  }

  static async start(user: User, name: string, layers = ''): Promise<Meadow> {
    const files = { 'world.yaml': manifestOf(name, layers), 'world.ts': MODULE };
    const folder = await user.folder(name, files);
    const run = user.leasehold(['run', folder, '--pods', '2', '--lifecycle', '1']);
    const said = await eventually(() => /^(?:· )?api {2}(\S+)/m.exec(run.stderr), START_MS);
    return new Meadow(user, { name, api: said?.[1] ?? '', run });
  }

  async stop(): Promise<void> {
    await this.#run.stop();
  }

  /** Everybody, by id. */
  async all(): Promise<Map<number, Components>> {
    const all = ['entity', 'query', '--world', this.name, '--limit', '1000'];
    const { entities } = await this.said(...all);
    return new Map((entities as Entity[]).map(({ id, components }) => [id, components]));
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered
  async said(...args: readonly string[]): Promise<any> {
    const { code, report, fault } = await this.#user.json(args, { LEASEHOLD_API: this.#api });
    if (fault !== undefined) throw new Error(JSON.stringify(fault));
    return { ...report, code };
  }

  async patch(id: number, ...flags: readonly string[]): Promise<void> {
    await this.said('entity', 'patch', String(id), '--world', this.name, ...flags, '--wait');
  }

  async remove(id: number): Promise<void> {
    await this.said('entity', 'delete', String(id), '--world', this.name, '--wait');
  }

  async create(...components: readonly string[]): Promise<number> {
    const given = components.flatMap((each) => ['--component', each]);
    const made = await this.said('entity', 'create', '--world', this.name, ...given, '--wait');
    return made.entities[0];
  }

  take(id: string): Promise<unknown> {
    return this.said('snapshot', 'create', '--world', this.name, '--id', id);
  }
}

/** Its id. */
export function standingAt(all: ReadonlyMap<number, Components>, x: number, y: number): number {
  for (const [id, { position }] of all) if (position?.['x'] === x && position['y'] === y) return id;
  throw new Error(`nobody stands at ${x}, ${y}`);
}
