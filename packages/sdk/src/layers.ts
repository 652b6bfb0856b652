/**
 * Which layer of a world has what: components of its own, copies of those that its systems read of
 * other layers, systems, and events that they take.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { LAYER_INDEX_MAX, type LayerSchema, layerSchema } from '@leasehold/protocol';
import type { AnyComponent } from './component.ts';
import { Undelivered as UndeliveredEvent } from './event.ts';
import { printable } from './kinds.ts';
import { LETTERS_SCHEMA } from './letter-order.ts';
import type { Simulation } from './simulation.ts';
import type { System } from './system.ts';

/** One layer, as all of a world see it. */
export type Layer = {
  readonly name: string;
  /** Its place among the layers of the world. */
  readonly index: number;
  /** Its own components, the copies that it keeps of others, and the engine's. */
  readonly schema: LayerSchema;
  /** Those that run in it, in the order of declaration. */
  readonly systems: readonly System[];
  /** Components of other layers of which it keeps copies, by the number of their layer. */
  readonly copies: ReadonlyMap<number, readonly AnyComponent[]>;
};

export type Layers = {
  readonly all: readonly Layer[];
  /**
   * The number of the layer that has the spatial component: who is where, who lives and who died is
   * as it says. 0 in a world without space.
   */
  readonly home: number;
  /** The number of the layer whose systems take an event; undefined: none, or it is for each. */
  takerOf(event: string): number | undefined;
};

type Known = ReadonlyMap<string, AnyComponent>;
type Places = ReadonlyMap<AnyComponent, number>;

/**
 * Throws `COMPONENT_UNKNOWN` for a layer that names what the simulation does not have,
 * `SYSTEM_INVALID` for a system that writes, or an event that is taken, in two layers.
 */
export function layersOf(
  { systems }: Simulation,
  known: Known,
  named: Readonly<Record<string, readonly string[]>>,
): Layers {
  const names = Object.keys(named);
  if (names.length > LAYER_INDEX_MAX + 1) {
    const remedy = `A world has at most ${LAYER_INDEX_MAX + 1} layers.`;
    const value = String(names.length);
    throw new LeaseholdError('MANIFEST_INVALID', 'layers: too many', {
      ...{ field: 'layers', value, remedy },
    });
  }
  const places = placesOf(known, named);
  const spatial = [...known.values()].find(({ schema }) => schema.spatial !== undefined);
  const home = (spatial && places.get(spatial)) ?? 0;
  const layerOf = systems.map((system) => layerOfSystem(system, names, places, home));
  const sends = systems.some(({ emits }) => emits.length > 0);
  const all = names.map((name, index): Layer => {
    const inside = systems.filter((_, s) => layerOf[s] === index);
    const copies = copiesOf(index, inside, places, spatial);
    const own = [...places].filter(([, place]) => place === index).map(([{ schema }]) => schema);
    const copied = [...copies].flatMap(([other, components]) =>
      components.map(({ schema: { durability: _told, ...schema } }) => ({
        ...{ ...schema, copyOf: names[other] as string },
      })),
    );
    const schema = layerSchema(name, [...own, ...copied, ...(sends ? [LETTERS_SCHEMA] : [])]);
    return { name, index, schema, systems: inside, copies };
  });
  const takers = takersOf(systems, layerOf, names);
  return { all, home, takerOf: (event) => takers.get(event) };
}

function placesOf(known: Known, named: Readonly<Record<string, readonly string[]>>): Places {
  const places = new Map<AnyComponent, number>();
  for (const [index, [layer, components]] of Object.entries(named).entries()) {
    for (const name of components) {
      const component = known.get(name);
      if (component === undefined) throw unknown(layer, name, known);
      places.set(component, index);
    }
  }
  return places;
}

function unknown(layer: string, name: string, known: Known): LeaseholdError {
  const message = `layer ${layer}: no component is called ${name}`;
  return new LeaseholdError('COMPONENT_UNKNOWN', message, {
    field: `layers.${layer}`,
    value: name,
    remedy: `The simulation has ${[...known.keys()].join(', ')}.`,
  });
}

const readBy = ({ reads, optional, neighbours, ...system }: System): AnyComponent[] => [
  ...Object.values(reads),
  ...Object.values(optional),
  ...system.with,
  ...system.without,
  ...system.changed,
  ...Object.values(neighbours?.reads ?? {}),
];

const writtenBy = ({ writes, neighbours }: System): AnyComponent[] => [
  ...Object.values(writes),
  ...Object.values(neighbours?.writes ?? {}),
];

/**
 * A system runs in the layer that it writes; one that writes nothing, in that of the first component
 * that it reads; one that touches none, at home.
 */
function layerOfSystem(
  system: System,
  names: readonly string[],
  places: Places,
  home: number,
): number {
  if (typeof system?.each !== 'function') {
    throw invalid('systems', printable(system), 'Give it what system() returned.');
  }
  const written = writtenBy(system);
  for (const component of [...written, ...readBy(system)]) {
    if (places.has(component)) continue;
    const what = `${component.schema.name} is no component of the simulation`;
    const remedy = 'List it in components of the simulation, and in a layer of the world.';
    throw new LeaseholdError('COMPONENT_UNKNOWN', `${system.name}: ${what}`, {
      ...{ field: system.name, value: component.schema.name, remedy },
    });
  }
  const found = [...new Set(written.map((component) => places.get(component) as number))];
  if (found.length > 1) {
    const where = found.map((layer) => names[layer]).join(' and ');
    const remedy = 'Split it: a system writes one layer, and reads any.';
    throw invalid(system.name, `it writes components of ${where}`, remedy);
  }
  const [first] = readBy(system);
  return found[0] ?? (first && places.get(first)) ?? home;
}

function copiesOf(
  index: number,
  systems: readonly System[],
  places: Places,
  spatial: AnyComponent | undefined,
): Map<number, AnyComponent[]> {
  const copies = new Map<number, AnyComponent[]>();
  const read = new Set(systems.flatMap(readBy));
  // Custody follows it: a row belongs where its entity is.
  if (spatial !== undefined) read.add(spatial);
  for (const component of read) {
    const other = places.get(component) as number;
    if (other === index) continue;
    copies.set(other, [...(copies.get(other) ?? []), component]);
  }
  return new Map([...copies].sort(([a], [b]) => a - b));
}

function takersOf(
  systems: readonly System[],
  layerOf: readonly number[],
  names: readonly string[],
): Map<string, number> {
  const takers = new Map<string, number>();
  for (const [s, { name, on }] of systems.entries()) {
    // What could not be delivered goes back to the layer that sent it.
    if (on === undefined || on.event === UndeliveredEvent) continue;
    const layer = layerOf[s] as number;
    const before = takers.get(on.event.event) ?? layer;
    takers.set(on.event.event, before);
    if (before === layer) continue;
    const where = `${names[before]} takes it, too`;
    const remedy = 'Take an event in one layer; let that one emit another.';
    throw invalid(name, `it takes ${on.event.event} in ${names[layer]}, and ${where}`, remedy);
  }
  return takers;
}

function invalid(field: string, value: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SYSTEM_INVALID', `${field}: ${value}`, { field, value, remedy });
}
