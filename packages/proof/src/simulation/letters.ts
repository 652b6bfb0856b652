/**
 * What the wanderers write to each other: to whom they see, and in realtime to whom they met before,
 * wherever those are by now, or dead. Each who is written to checks what comes (M1, M2).
 */
import type { Table } from '@leasehold/protocol';
import {
  type AnyComponent,
  component,
  event,
  json,
  type System,
  system,
  u32,
} from '@leasehold/sdk';

/** `met`: whom it saw last. `sent`: letters by the other's id. */
export const Writer = component('writer', 1, {
  met: json<number[]>([]),
  sent: json<Record<string, number>>({}),
});
/** `again`: letters that came twice or behind a later one. `missing`: those before one that came. */
export const Reader = component('reader', 1, {
  got: json<Record<string, number>>({}),
  total: u32,
  again: u32,
  missing: u32,
});
const Note = event('note', 1, { n: u32 });
const MET_MAX = 4;

/** The systems of the letters; `position`: whom one meets has it. */
export function letterSystems(position: AnyComponent, isFar: boolean): System[] {
  const write = system({
    name: 'write',
    after: ['wander'],
    writes: { writer: Writer },
    neighbours: { radius: 6, reads: { position } },
    emits: [Note],
    each({ writer }, { neighbours, random, emit, id }) {
      const met = [...writer.met];
      const to: number[] = [];
      for (const other of neighbours) {
        if (random.chance(0.15)) to.push(other.id);
        if (!met.includes(other.id)) met.unshift(other.id);
      }
      if (isFar && met.length > 0 && random.chance(0.15)) {
        to.push(met[random.below(met.length)] ?? id);
      }
      const sent = { ...writer.sent };
      for (const other of to) {
        const n = (sent[other] ?? 0) + 1;
        if (emit(other, Note({ n }))) sent[other] = n;
      }
      if (to.length > 0) writer.sent = sent;
      if (met.length > writer.met.length) writer.met = met.slice(0, MET_MAX);
    },
  });
  const read = system({
    name: 'read',
    on: { note: Note },
    writes: { reader: Reader },
    each({ note, reader }, { from }) {
      const last = reader.got[from] ?? 0;
      if (note.n <= last) reader.again += 1;
      else reader.missing += note.n - last - 1;
      reader.got = { ...reader.got, [from]: Math.max(last, note.n) };
      reader.total += 1;
    },
  });
  return [write, read];
}

/** What those in a table have got. */
export function readOf(table: Table): { total: number; again: number; missing: number } {
  const c = table.schema.components.findIndex(({ name }) => name === 'reader');
  const column = (name: string): Uint32Array => {
    const f = table.schema.components[c]?.fields.findIndex((field) => field.name === name) ?? 0;
    return table.columns[c]?.[f] as Uint32Array;
  };
  const sum = (name: string): number =>
    column(name)
      .subarray(0, table.count)
      .reduce((total, value) => total + value, 0);
  return { total: sum('total'), again: sum('again'), missing: sum('missing') };
}
