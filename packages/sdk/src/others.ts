/** What an engine knows of the layers of its world other than its own. */
import { assert } from '@leasehold/kernel';
import { type CellImage, type LogEntry, type SchemaResolver, Table } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { Placement } from './births.ts';
import { type LayerKit, layerCounter } from './bonds.ts';
import { type CellKit, CellState } from './cell.ts';
import type { AnyComponent } from './component.ts';
import type { AnyEvent } from './event.ts';
import { Join } from './join.ts';
import type { MailLayers } from './layer-requests.ts';
import type { Layer, Layers } from './layers.ts';
import { RowSet } from './rows.ts';
import { Runner } from './runner.ts';
import { classesOf } from './told.ts';
import type { ViewField } from './view.ts';

/**
 * A cell of a layer of which nothing is read: all that is followed of it is how far it has come, and
 * its channel.
 *
 * PERF: whoever follows three layers would decode the logs of all.
 */
class BlindCell extends CellState {
  override restore({ entries, checkpoint }: CellImage): LogEntry[] {
    this.tick = entries.at(-1)?.tick ?? checkpoint?.tick ?? 0;
    return [];
  }

  override apply({ tick }: LogEntry): void {
    this.tick = tick;
  }
}

export type OthersOptions = {
  readonly layers: Layers;
  readonly own: Layer;
  readonly known: ReadonlyMap<string, AnyComponent>;
  readonly events: ReadonlyMap<string, AnyEvent>;
  readonly viewFields: readonly ViewField[];
  readonly placement: Placement;
  readonly grid: Grid;
  readonly tickHz: number;
};

export class Others {
  /** Undefined in a world of one layer. */
  readonly kit: LayerKit | undefined;
  readonly mail: MailLayers | undefined;
  readonly #cellKits = new Map<number, CellKit>();

  constructor(options: OthersOptions) {
    const { layers, own } = options;
    if (layers.all.length === 1) return;
    for (const layer of layers.all) {
      if (layer !== own) this.#cellKits.set(layer.index, cellKitOf(layer, options));
    }
    this.kit = this.#kitOf(options);
    this.mail = mailOf(options);
  }

  createCell(layer: number, cell: number, older?: SchemaResolver): CellState {
    const kit = this.#cellKits.get(layer);
    assert(kit !== undefined, `layer ${layer} is another one`);
    return kit.viewFields.length > 0
      ? new CellState(kit, cell, older)
      : new BlindCell(kit, cell, older);
  }

  /** Whether anything of a layer is read. */
  reads(layer: number): boolean {
    return (this.#cellKits.get(layer)?.viewFields.length ?? 0) > 0;
  }

  #kitOf({ layers, own, viewFields, placement, tickHz }: OthersOptions): LayerKit {
    const { spatial } = placement;
    const joins = [...own.copies.keys()].map((index) => {
      const theirs = this.#cellKits.get(index) as CellKit;
      const fields = { theirs: theirs.viewFields, own: viewFields, spatial };
      return new Join(index, own.schema, theirs.placement.schema, fields);
    });
    const others = [...this.#cellKits].map(([index, kit]) => ({ index, placement: kit.placement }));
    const counterOf = layerCounter(own.index);
    return {
      ...{ index: own.index, home: layers.home, others, joins, spatial, tickHz },
      counterOf,
    };
  }
}

/** All that this layer copies of another is in its views. */
function cellKitOf(layer: Layer, { own, known, events, grid, tickHz }: OthersOptions): CellKit {
  const { schema } = layer;
  const placement = new Placement(schema, grid, known);
  const copied = new Set(own.copies.get(layer.index)?.map((component) => component.schema.name));
  const viewFields = schema.components.flatMap(({ name, fields }, component) =>
    copied.has(name) ? fields.map((_, field) => ({ component, field })) : [],
  );
  const rows = new RowSet(new Table(schema));
  const idle = { systems: [], rows, pool: undefined, lattice: undefined, time: undefined };
  const runner = new Runner({ grid, placement, viewFields, ...idle });
  return {
    ...{ grid, placement, runner, viewFields, needsHalo: false, usesChanged: false },
    mail: { placement, events, tickHz, takesUndelivered: false, layers: undefined },
    ...{ classes: classesOf(schema), layers: undefined, isRead: true },
  };
}

function mailOf({ layers, own }: OthersOptions): MailLayers {
  const places = new Map<string, number>();
  for (const { index, schema } of layers.all) {
    for (const { name, copyOf } of schema.components) {
      if (copyOf === undefined) places.set(name, index);
    }
  }
  return {
    ...{ index: own.index, home: layers.home },
    takerOf: (event) => layers.takerOf(event),
    layerOf: (component) => places.get(component),
  };
}
