/**
 * The order in which the systems of a layer run, from what they declare. Pure: the same
 * declarations give the same order everywhere, which lockstep needs (T1).
 *
 *   1. `after` and `before` are obeyed.
 *   2. Who writes a component runs before those that only read it, unless 1 says otherwise.
 *   3. Two writers of one component must be ordered by 1 and 2, or it is a conflict.
 *   4. What is left open is decided by the order of declaration.
 *
 * Reads of neighbours see the previous tick and so order nothing, except in sequential systems.
 * Writes of neighbours are writes.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Components } from './component.ts';
import type { System } from './system.ts';

type Access = { readonly writes: ReadonlySet<string>; readonly reads: ReadonlySet<string> };

const namesOf = (components: Components): string[] =>
  Object.values(components).map((component) => component.schema.name);

function accessOf(system: System): Access {
  const { neighbours } = system;
  const writes = new Set([...namesOf(system.writes), ...namesOf(neighbours?.writes ?? {})]);
  const live = system.order === 'sequential' ? namesOf(neighbours?.reads ?? {}) : [];
  const reads = [...namesOf(system.reads), ...namesOf(system.optional), ...live];
  return { writes, reads: new Set(reads.filter((name) => !writes.has(name))) };
}

/** Which systems must come before which, as rows of bits that are kept transitively closed. */
class Precedence {
  readonly #after: Set<number>[];

  constructor(count: number) {
    this.#after = Array.from({ length: count }, () => new Set<number>());
  }

  has(first: number, second: number): boolean {
    return this.#after[first]?.has(second) ?? false;
  }

  add(first: number, second: number): void {
    const behind = [second, ...(this.#after[second] ?? [])];
    this.#after.forEach((after, i) => {
      if (i === first || after.has(first)) for (const late of behind) after.add(late);
    });
  }
}

/**
 * The systems in the order they run.
 *
 * Errors: `SYSTEM_INVALID` (a name used twice, or unknown in `after` or `before`),
 * `SYSTEM_CONFLICT` naming both systems, the component and the way out.
 */
export function orderSystems(systems: readonly System[]): System[] {
  const order = new Precedence(systems.length);
  addDeclared(systems, order);
  addAccess(systems, order);
  const left = systems.map((_, i) => i);
  const sorted: System[] = [];
  while (left.length > 0) {
    const next = left.findIndex((i) => !left.some((other) => other !== i && order.has(other, i)));
    const [index] = left.splice(next, 1);
    sorted.push(systems[index as number] as System);
  }
  return sorted;
}

function addDeclared(systems: readonly System[], order: Precedence): void {
  const indexes = new Map<string, number>();
  systems.forEach(({ name }, i) => {
    if (indexes.has(name)) {
      throw new LeaseholdError('SYSTEM_INVALID', `two systems are called ${name}`, {
        field: `systems[${i}].name`,
        value: name,
        remedy: 'Give every system a name of its own.',
      });
    }
    indexes.set(name, i);
  });
  const indexOf = (name: string, by: string, key: string): number => {
    const index = indexes.get(name);
    if (index !== undefined) return index;
    throw new LeaseholdError('SYSTEM_INVALID', `system ${by} is to run ${key} ${name}, unknown`, {
      field: `${by}.${key}`,
      value: name,
      remedy: `Name a system of this simulation: ${[...indexes.keys()].join(', ')}.`,
    });
  };
  systems.forEach((system, i) => {
    for (const name of system.after) declare(indexOf(name, system.name, 'after'), i);
    for (const name of system.before) declare(i, indexOf(name, system.name, 'before'));
  });

  function declare(first: number, second: number): void {
    if (first === second || order.has(second, first)) {
      const names = [systems[first], systems[second]].map((system) => system?.name ?? '');
      throw new LeaseholdError(
        'SYSTEM_CONFLICT',
        `${names.join(' and ')} each run after the other`,
        {
          field: `${names[1]}.after`,
          value: names[0] ?? '',
          remedy: 'Take back one of the declarations after or before between them.',
        },
      );
    }
    order.add(first, second);
  }
}

function addAccess(systems: readonly System[], order: Precedence): void {
  const access = systems.map(accessOf);
  const ordered = (a: number, b: number): boolean => order.has(a, b) || order.has(b, a);
  // Declared pairs are settled before the first pair is settled by access.
  const pairs: (readonly [writer: number, reader: number, component: string])[] = [];
  access.forEach(({ writes }, writer) => {
    access.forEach(({ reads }, reader) => {
      for (const name of writes) {
        if (reads.has(name) && !ordered(writer, reader)) pairs.push([writer, reader, name]);
      }
    });
  });
  for (const [writer, reader, component] of pairs) {
    if (order.has(reader, writer))
      throw conflict(systems[writer], systems[reader], component, 'reads');
    order.add(writer, reader);
  }
  access.forEach((one, a) => {
    access.slice(0, a).forEach((other, b) => {
      const component = [...one.writes].find((name) => other.writes.has(name));
      if (component === undefined || ordered(a, b)) return;
      throw conflict(systems[b], systems[a], component, 'writes');
    });
  });
}

function conflict(
  first: System | undefined,
  second: System | undefined,
  component: string,
  verb: 'reads' | 'writes',
): LeaseholdError {
  const [a, b] = [first?.name ?? '', second?.name ?? ''];
  const message =
    verb === 'writes'
      ? `systems ${a} and ${b} both write ${component}, in no declared order`
      : `system ${a} writes ${component}, which ${b} reads, but ${b} must also run before ${a}`;
  return new LeaseholdError('SYSTEM_CONFLICT', message, {
    field: component,
    value: `${a}, ${b}`,
    remedy: `Say which is first: after: ['${a}'] in ${b}, or after: ['${b}'] in ${a}.`,
  });
}
