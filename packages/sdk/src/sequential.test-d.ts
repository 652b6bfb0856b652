/**
 * What the compiler must accept and refuse about neighbours that a system changes. Run by `tsc`: a
 * line that should fail and does not is an error.
 */
import { component, f64, system } from './index.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Energy = component('energy', 1, { joules: f64 });
const Label = component('label', 1, { n: f64 });

export const sequential = system({
  name: 'sequential',
  order: 'sequential',
  writes: { position: Position },
  params: { reach: 2 },
  neighbours: {
    radius: ({ reach }) => reach,
    reads: { label: Label },
    writes: { theirs: Energy },
  },
  each({ position }, { neighbours, params }) {
    for (const other of neighbours) {
      position.x += other.theirs.joules + other.label.n + params.reach;
      // @ts-expect-error: the neighbour may be of another cell
      other.theirs.joules = 1;
      // @ts-expect-error: what is only read stays readonly
      if (other.isOwn) other.label.n = 1;
      // @ts-expect-error: this component was not declared
      other.position;
      // @ts-expect-error: rows cannot be replaced
      if (other.isOwn) other.theirs = { joules: 1 };
      if (other.isOwn) {
        other.theirs.joules -= 1;
        // @ts-expect-error: no such field
        other.theirs.x = 1;
      } else {
        // @ts-expect-error: a ghost is readonly
        other.theirs.joules = 1;
      }
      const { isOwn, theirs } = other;
      if (isOwn) theirs.joules -= 1;
    }
  },
});

export const writesAlone = system({
  name: 'writes-alone',
  order: 'sequential',
  reads: { position: Position },
  neighbours: { radius: 1, writes: { energy: Energy } },
  each({ position }, { neighbours }) {
    for (const other of neighbours) {
      if (other.isOwn) other.energy.joules = position.x;
    }
  },
});

export const readsAlone = system({
  name: 'reads-alone',
  order: 'sequential',
  reads: { position: Position },
  neighbours: { radius: 1, reads: { energy: Energy } },
  each(_, { neighbours, despawn }) {
    for (const other of neighbours) {
      if (other.isOwn) despawn(other.id);
      // @ts-expect-error: only what is in writes is mutable
      if (other.isOwn) other.energy.joules = 1;
    }
  },
});

// @ts-expect-error: neighbours are written in sequential order only
export const simultaneous = system({
  name: 'simultaneous',
  reads: { position: Position },
  neighbours: { radius: 1, writes: { energy: Energy } },
  each: () => undefined,
});
