/**
 * The same views by @colyseus/schema 4: one state of all entities, a StateView for each client, and
 * what a room does in each patch: changes are set, views are kept, what all see and what each sees
 * is encoded. Who is in which view is worked out by the caller and costs this side nothing.
 */
import { Decoder, Encoder, type MapSchema, StateView, schema } from '@colyseus/schema';

/** As natural there as columns are here: 32-bit floats, as precise as the other side's hundredth. */
const Entity = schema({ x: 'float32', y: 'float32', courseX: 'float32', courseY: 'float32' });
const State = schema({ entities: { map: Entity, view: true } });
type Entity = InstanceType<typeof Entity>;

/** Room for all views of a patch: growing would be work that a warm server does not do. */
const BUFFER_BYTES = 16 * 1024 * 1024;

export class ColyseusRoom {
  bytes = 0;
  readonly #state = new State();
  readonly #encoder: Encoder;
  readonly #entities = new Map<number, Entity>();
  readonly #views: StateView[] = [];
  readonly #decoder: Decoder;
  readonly #seen = new State();

  constructor(clients: number) {
    Encoder.BUFFER_SIZE = BUFFER_BYTES;
    this.#encoder = new Encoder(this.#state);
    this.#decoder = new Decoder(this.#seen);
    for (let i = 0; i < clients; i++) this.#views.push(new StateView());
  }

  /** A newcomer in the world. */
  spawn(id: number, x: number, y: number): void {
    const entity = new Entity({ x, y, courseX: 0.6, courseY: 0.8 });
    this.#entities.set(id, entity);
    this.#state.entities.set(String(id), entity);
  }

  move(id: number, x: number, y: number): void {
    const entity = this.#entities.get(id) as Entity;
    entity.x = x;
    entity.y = y;
  }

  enter(client: number, id: number): void {
    this.#views[client]?.add(this.#entities.get(id) as Entity);
  }

  leave(client: number, id: number): void {
    this.#views[client]?.remove(this.#entities.get(id) as Entity);
  }

  /** As a client is told that joins: the first one decodes it. */
  greet(): void {
    const it = { offset: 0 };
    this.#encoder.encodeAll(it);
    const shared = it.offset;
    for (const [client, view] of this.#views.entries()) {
      const bytes = this.#encoder.encodeAllView(view, shared, it);
      if (client === 0) this.#decoder.decode(bytes);
    }
    for (const view of this.#views) view.changes.clear();
    this.#encoder.discardChanges();
  }

  /** Encodes a patch for every client, as its README says; answers that of the first. */
  patch(): Uint8Array {
    const it = { offset: 0 };
    this.#encoder.encode(it);
    const shared = it.offset;
    let first: Uint8Array = new Uint8Array(0);
    for (const [client, view] of this.#views.entries()) {
      const bytes = this.#encoder.encodeView(view, shared, it);
      this.bytes += bytes.length;
      if (client === 0) first = bytes;
    }
    this.#encoder.discardChanges();
    return first;
  }

  /** The first client takes its patch. */
  decode(patch: Uint8Array): void {
    this.#decoder.decode(patch);
  }

  /** What the first client sees, by id. */
  seen(): ReadonlyMap<number, { readonly x: number; readonly y: number }> {
    const seen = new Map<number, Entity>();
    const { entities } = this.#seen as unknown as { entities: MapSchema<Entity> };
    for (const [id, entity] of entities) seen.set(Number(id), entity);
    return seen;
  }
}
