/** What a tick will add, end and change in the set of entities, gathered while systems run. */
import { LeaseholdError } from '@leasehold/kernel';
import { type Column, type FieldValue, type LayerSchema, Table } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { type AnyComponent, ComponentValue } from './component.ts';
import type { EventValue } from './event.ts';
import { printable } from './kinds.ts';
import { notFinite } from './rows.ts';
import { type SpatialFields, spatialFields } from './view.ts';

/** Knows the components of a layer by name and puts values of them into rows of a table. */
export class Placement {
  readonly schema: LayerSchema;
  readonly spatial: SpatialFields | undefined;
  readonly grid: Grid;
  readonly #known: ReadonlyMap<string, AnyComponent>;
  /** Index in the layer; −1 in another. */
  readonly #indexes: ReadonlyMap<AnyComponent | undefined, number>;

  /** `known`: every component of the simulation; those of other layers are passed over. */
  constructor(schema: LayerSchema, grid: Grid, known: ReadonlyMap<string, AnyComponent>) {
    this.schema = schema;
    this.spatial = spatialFields(schema);
    this.grid = grid;
    this.#known = known;
    const indexes = new Map(schema.components.map(({ name }, c) => [name, c]));
    const ofKnown = [...known].map(
      ([name, component]) => [component, indexes.get(name) ?? -1] as const,
    );
    this.#indexes = new Map(ofKnown);
  }

  /**
   * The index of a component in the layer, −1 in another layer. Throws `COMPONENT_UNKNOWN` when the
   * simulation does not have it.
   */
  indexOf(component: AnyComponent | undefined, by: string): number {
    const index = this.#indexes.get(component);
    if (index !== undefined) return index;
    const name = component?.schema?.name;
    const what = name === undefined ? printable(component) : name;
    throw new LeaseholdError(
      'COMPONENT_UNKNOWN',
      `${by}: ${what} is no component of the simulation`,
      {
        field: by,
        value: what,
        remedy: `List it in components of the simulation, which has ${[...this.#known.keys()].join(', ')}.`,
      },
    );
  }

  /** Whether the layer only keeps a copy of the component. */
  isCopy(index: number): boolean {
    return this.schema.components[index]?.copyOf !== undefined;
  }

  /** A component of the simulation by its name. Throws `COMPONENT_UNKNOWN`. */
  component(name: string): AnyComponent {
    const component = this.#known.get(name);
    if (component !== undefined) return component;
    throw new LeaseholdError('COMPONENT_UNKNOWN', `no component is called ${printable(name)}`, {
      field: name,
      value: name,
      remedy: `The simulation has ${[...this.#known.keys()].join(', ')}.`,
    });
  }

  /** Throws `SPATIAL_NOT_FINITE` for a value that would put an entity nowhere. */
  checkPlace({ component, values }: ComponentValue): void {
    const { name, fields, spatial } = component.schema;
    for (const [f, field] of fields.entries()) {
      if (spatial?.includes(field.name) !== true || Number.isFinite(values[f])) continue;
      throw notFinite(`${name}.${field.name}`, values[f]);
    }
  }

  /** A value as the column has it: inside the space, if it says where somebody is. */
  placed(component: number, field: number, value: FieldValue): FieldValue {
    const { spatial } = this;
    if (spatial?.component !== component) return value;
    if (field === spatial.x) return this.wrappedX(value as number);
    return field === spatial.y ? this.wrappedY(value as number) : value;
  }

  /** The index of the component of a value that `spawn` or `add` was given. */
  valueIndex(value: ComponentValue, by: string): number {
    if (value instanceof ComponentValue) return this.indexOf(value.component, by);
    throw new LeaseholdError(
      'FIELD_KIND_MISMATCH',
      `${by} takes values such as Position({ x: 1 })`,
      {
        field: by,
        value: printable(value),
        remedy: 'Call the component to make a value of it.',
      },
    );
  }

  /**
   * Adds a row with these components to the end of a table.
   *
   * PERF: plain loops without lists in between, since a model may bear a third of its herd a tick.
   */
  append(table: Table, id: number, values: readonly ComponentValue[], by: string): void {
    let mask = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as ComponentValue;
      const c = this.valueIndex(value, by);
      if (c === -1) continue;
      const bit = 2 ** c;
      if ((mask & bit) !== 0) {
        const { name } = value.component.schema;
        throw new LeaseholdError('COMPONENT_INVALID', `${by}: ${name} is given twice`, {
          field: by,
          value: name,
          remedy: 'Give each component once.',
        });
      }
      mask = (mask | bit) >>> 0;
    }
    const row = table.append(id, mask);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as ComponentValue;
      this.write(table, row, this.valueIndex(value, by), value);
    }
  }

  /** Writes the values of one component into a row; marks nothing. */
  write(table: Table, row: number, c: number, value: ComponentValue): void {
    const columns = table.columns[c];
    if (columns === undefined) return;
    const { name, fields } = value.component.schema;
    for (let f = 0; f < fields.length; f++) {
      const held = value.values[f];
      const isBool = fields[f]?.kind === 'bool';
      (columns[f] as unknown[])[row] = isBool ? Number(held) : held;
    }
    const { spatial } = this;
    if (spatial?.component !== c) return;
    const xs = columns[spatial.x] as Float64Array;
    const ys = columns[spatial.y] as Float64Array;
    for (const f of [spatial.x, spatial.y]) {
      const at = columns[f]?.[row];
      if (!Number.isFinite(at)) throw notFinite(`${name}.${fields[f]?.name}`, at);
    }
    xs[row] = this.wrappedX(xs[row] as number);
    ys[row] = this.wrappedY(ys[row] as number);
  }

  /** Where a coordinate belongs: as `Grid.wrapX`, but a plane leaves it as it is. */
  wrappedX(x: number): number {
    return this.grid.wrapsX ? this.grid.wrapX(x) : x;
  }

  wrappedY(y: number): number {
    return this.grid.spec.kind === 'plane' ? y : this.grid.wrapY(y);
  }
}

/** What a letter has besides its payload: ids, ticks and names. */
const LETTER_BYTES = 100;
/** Of the megabyte that a commit may carry, channels and all. */
const EMITTED_BYTES_MAX = 384 * 1024;

/** Marks of rows: it dies with this tick, and moreover acts no more. */
const DYING = 1;
export const ENDED = 2;

/** PERF: shared by all cells without rows. */
const NOBODY_GONE = new Uint8Array(0);

/** The changes to the set of entities that one tick of one cell asks for. */
export class Requests {
  readonly births: Table;
  /** Of worlds of several layers: the newborn with all their components, for the others. */
  readonly born: { readonly id: number; readonly values: readonly ComponentValue[] }[] = [];
  /** In a layer that does not say who lives: whom its systems want ended. */
  readonly endings: number[] = [];
  /** [row of the table] 0: it lives on. */
  gone = NOBODY_GONE;
  /** How many die, and how many of those act no more in this tick. */
  deaths = 0;
  ended = 0;
  /** Events sent by systems, in the order in which they were. */
  readonly emitted: { readonly to: number; readonly from: number; readonly value: EventValue }[] =
    [];
  #emittedBytes = 0;
  /** Components to give (`value`) or take, by entity, in the order asked. */
  readonly exchanges: { id: number; component: number; value: ComponentValue | undefined }[] = [];
  readonly #placement: Placement;
  readonly #isLayered: boolean;

  constructor(placement: Placement, isLayered: boolean) {
    this.#placement = placement;
    this.#isLayered = isLayered;
    this.births = new Table(placement.schema, 0);
  }

  /** Somebody is born with this tick, in any order of ids. Throws as `Placement.append`. */
  bear(id: number, values: readonly ComponentValue[], by: string): void {
    const { births } = this;
    if (births.count === 0 || id > (births.ids[births.count - 1] as number)) {
      this.#placement.append(births, id, values, by);
    } else {
      // Ids that were reserved outside come as they were posted, and before those of systems.
      // PERF: only those above it move, which are the few that were asked for from outside.
      const one = new Table(births.schema, 1);
      this.#placement.append(one, id, values, by);
      births.merge(one);
    }
    if (this.#isLayered) this.born.push({ id, values });
  }

  /** Begins a tick of a table that has its rows by now. */
  begin({ count, capacity }: Table): void {
    if (this.births.count > 0) this.births.clear();
    if (this.gone.length < count) this.gone = new Uint8Array(capacity);
    else if (this.deaths > 0) this.gone.fill(0);
    this.deaths = 0;
    this.ended = 0;
    this.exchanges.length = 0;
    this.emitted.length = 0;
    this.born.length = 0;
    this.endings.length = 0;
    this.#emittedBytes = 0;
  }

  /** Answers false, and sends nothing, when a tick of a cell has sent as much as it may. */
  emit(to: number, from: number, value: EventValue): boolean {
    const bytes = JSON.stringify(value.payload).length + LETTER_BYTES;
    if (this.#emittedBytes + bytes > EMITTED_BYTES_MAX) return false;
    this.#emittedBytes += bytes;
    this.emitted.push({ to, from, value });
    return true;
  }

  /** A row dies with this tick; ended by a sequential system, it acts no more either. */
  end(row: number, isEnded: boolean): void {
    const before = this.gone[row] as number;
    if (before === 0) this.deaths++;
    if (!isEnded || before === ENDED) {
      if (before === 0) this.gone[row] = DYING;
      return;
    }
    this.gone[row] = ENDED;
    this.ended++;
  }

  /** Ids of the dead, ascending. */
  deathsOf(table: Table): number[] {
    const ids: number[] = [];
    for (let row = 0; ids.length < this.deaths; row++) {
      if (this.gone[row] !== 0) ids.push(table.ids[row] as number);
    }
    return ids;
  }

  /** Puts the exchanges into effect and marks the rows. */
  exchange(table: Table): void {
    for (const { id, component, value } of this.exchanges) {
      const row = table.find(id);
      if (row === -1) continue;
      const bit = 2 ** component;
      const mask = table.masks[row] as number;
      table.setMask(row, value === undefined ? (mask & ~bit) >>> 0 : (mask | bit) >>> 0);
      if (value === undefined) continue;
      this.#placement.write(table, row, component, value);
      const marks = table.dirty[component] as Uint32Array;
      marks[row] = 2 ** (table.columns[component] as Column[]).length - 1;
    }
  }
}
