import {
  type CommitParts,
  encodeCheckpoint,
  encodeCommit,
  entryHash,
  layerSchema,
  schemaJson,
  settle,
  Table,
} from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import type { CellReading, CheckpointReading, EntryReading } from './reading.ts';
import { replay, Schemas } from './replay.ts';

const n = { name: 'n', kind: 'u32', initial: 0 } as const;
const SCHEMA = layerSchema('main', [
  { name: 'aim', version: 1, fields: [n], durability: 'ephemeral' },
  { name: 'fuel', version: 1, fields: [n], durability: { every: 4 } },
]);
const [AIM, FUEL] = [0, 1];

/** A cell whose one entity has something written in each of two ticks, with a checkpoint of each. */
function reading(lie: 'none' | 'kept' | 'ephemeral'): CellReading {
  const table = new Table(SCHEMA);
  const entries: EntryReading[] = [];
  const checkpoints: CheckpointReading[] = [];
  let [seq, prevHash] = [0, ''];
  const commit = (parts: Partial<CommitParts> = {}): void => {
    const tick = seq++;
    const births = parts.births ?? new Table(SCHEMA);
    const whole = { tick, idCounter: 1, arrivals: [], births, deaths: [], departures: [] };
    const body = encodeCommit(table, whole);
    settle(table, whole);
    const hash = entryHash(prevHash, seq, '1', tick, body);
    entries.push({ seq, version: '1', epoch: '1', prevHash, hash, tick, body });
    prevHash = hash;
  };
  const write = (component: number, value: number): void => {
    (table.columns[component]?.[0] as Uint32Array)[0] = value;
    (table.dirty[component] as Uint32Array)[0] = 1;
  };
  const checkpoint = (): void => {
    const stored = table.pick([0]);
    // What the holder has and has not told, as one that does not owe would write it.
    if (lie === 'kept' && seq === 3) (stored.columns[FUEL]?.[0] as Uint32Array)[0] = 99;
    if (lie === 'ephemeral' && seq === 3) (stored.columns[AIM]?.[0] as Uint32Array)[0] = 99;
    const tick = seq - 1;
    const body = encodeCheckpoint(stored, { tick, idCounter: 1 });
    checkpoints.push({ seq, hash: prevHash, tick, body });
  };
  const births = new Table(SCHEMA);
  births.append(1, 3);
  commit({ births });
  for (const value of [5, 6]) {
    write(AIM, value);
    write(FUEL, value);
    commit();
    checkpoint();
  }
  const meta = {
    ...{ seq, hash: prevHash, tick: seq - 1, epoch: '1', nonce: '', idCounter: 1, outSeq: 0 },
    cursors: new Map(),
    isAsleep: false,
  };
  return { cell: 0, meta, checkpoints, entries, out: [] };
}

const schemas = new Schemas();
schemas.learn(new Map([[SCHEMA.hash, schemaJson(SCHEMA)]]));

describe('L3 from the older checkpoint the log leads to the newer one', () => {
  test('in all that checkpoints have, though the log has more', () => {
    const { faults, table, checkpointsCompared } = replay(reading('none'), schemas);
    expect(faults).toEqual([]);
    expect(checkpointsCompared).toBe(1);
    expect(table?.columns.map((columns) => columns[0]?.[0])).toEqual([6, 6]);
  });

  test('or one that has what the log has not told is a fault', () => {
    const { faults } = replay(reading('kept'), schemas);
    expect(faults).toEqual(['checkpoint 3 is not what the log makes of the one before it']);
  });

  test('and no checkpoint has what is ephemeral, whatever its writer had', () => {
    expect(replay(reading('ephemeral'), schemas).faults).toEqual([]);
  });
});
