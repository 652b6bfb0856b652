/**
 * What is stored of a world beside what a folder says: every difference, and what would become of
 * it. Nothing is written.
 */
import { type AppliedWorld, type Control, openControl } from '@leasehold/control';
import { type LiveStore, openLiveStore } from '@leasehold/live-store';
import {
  type LayerSchema,
  ownSchema,
  type PodRecord,
  parseSchema,
  type Registry,
  type RegistryRecord,
  type Store,
} from '@leasehold/protocol';
import {
  type Change,
  type Manifest,
  manifestChanges,
  moduleMark,
  moduleVersion,
  schemaChanges,
} from '@leasehold/world';
import type { CheckedWorld } from '../stored-world.ts';
import { layerSchemas } from './record.ts';

export type Comparison = {
  readonly world: string;
  /** null: it is not stored. */
  readonly incarnation: number | null;
  /** Of settings and module. */
  readonly settings: readonly Change[];
  readonly components: readonly Change[];
  readonly module: {
    readonly version: string;
    /** As it was applied last; '' = never. */
    readonly appliedVersion: string;
    /** Of the module with its settings, as pods report it. */
    readonly mark: number;
  };
  /** Names of the pods that are there, and of those among them that run another module or settings. */
  readonly pods: readonly string[];
  readonly olderPods: readonly string[];
};

export async function compareWorld(
  checked: CheckedWorld,
  registry: Registry,
  redisUrl: string,
): Promise<Comparison> {
  const record = await registry.read(checked.name);
  const version = await moduleVersion(checked.loaded);
  const mark = moduleMark(version, checked.loaded.manifest);
  if (record?.state !== 'ready') {
    const module = { version, appliedVersion: '', mark };
    const nothing = { settings: [], components: [], pods: [], olderPods: [] };
    return { world: checked.name, incarnation: null, ...nothing, module };
  }
  const { incarnation } = record;
  const { name: world, loaded } = checked;
  const control = await openControl(redisUrl);
  const stores: LiveStore[] = [];
  try {
    for (const { schema } of checked.engines) {
      const place = { url: redisUrl, world, incarnation, layer: schema.layer, grid: loaded.grid };
      stores.push(await openLiveStore(place));
    }
    const [store] = stores as [LiveStore];
    const found = await control.world(world);
    const applied = found?.incarnation === incarnation ? found : undefined;
    const pods = await podsOf(stores);
    const stored = await storedSchemas(record, applied, control, store);
    return {
      ...{ world, incarnation },
      settings: [...settings(checked, record, applied, pods), ...moduleChange(applied, version)],
      components: schemaChanges(stored, layerSchemas(checked)),
      module: { version, appliedVersion: applied?.moduleVersion ?? '', mark },
      pods: pods.map(({ pod }) => pod),
      olderPods: pods.filter((pod) => isOlder(pod, mark)).map(({ pod }) => pod),
    };
  } finally {
    await Promise.all(stores.map((store) => store.close()));
    await control.close();
  }
}

/** It runs another module, or other settings. One that has just come and said nothing yet is not known to. */
export function isOlder({ report }: Pick<PodRecord, 'report'>, mark: number): boolean {
  return report['module'] !== undefined && report['module'] !== mark;
}

/** Those of all layers that are connected, layer by layer. */
export async function podsOf(
  stores: readonly Pick<Store, 'pods' | 'connected'>[],
): Promise<PodRecord[]> {
  return (await Promise.all(stores.map(podsHere))).flat();
}

/** Those of one layer that are connected. */
export async function podsHere(store: Pick<Store, 'pods' | 'connected'>): Promise<PodRecord[]> {
  const records = await store.pods();
  const connected = await store.connected(records.map(({ pod }) => pod));
  return records.filter(({ pod }) => connected.has(pod));
}

function settings(
  { loaded, mode, seed, name }: CheckedWorld,
  record: RegistryRecord,
  applied: AppliedWorld | undefined,
  pods: readonly PodRecord[],
): Change[] {
  const is: Manifest = { ...loaded.manifest, world: name, mode, seed };
  if (applied === undefined) return unrecorded(is, record);
  return manifestChanges(applied.manifest as Partial<Manifest>, is).map((change) => {
    if (change.effect !== 'rest' || pods.length === 0) return change;
    const names = pods.map(({ pod }) => pod).join(', ');
    const reason = `${change.reason}, and ${names} are there: end the run first`;
    return { ...change, effect: 'refused', reason };
  });
}

/** Of a world without a record only what it depends on is known. */
function unrecorded(is: Manifest, { fixed = {} }: RegistryRecord): Change[] {
  const space = Object.entries(fixed).flatMap(([key, value]) =>
    key.startsWith('space.') ? [[key.slice('space.'.length), value] as const] : [],
  );
  const { blockCells, seed } = fixed;
  const was = { ...is, space: Object.fromEntries(space), blockCells, seed };
  const reason = 'the world was seeded without a record, and gets one';
  const unknown = { field: 'world.yaml', was: 'not recorded', is: 'as it is here' };
  return [
    ...manifestChanges(was as unknown as Partial<Manifest>, is),
    { ...unknown, effect: 'now', reason },
  ];
}

function moduleChange(applied: AppliedWorld | undefined, version: string): Change[] {
  if (applied === undefined || applied.moduleVersion === version) return [];
  const reason = 'pods load it when they start';
  const texts = { was: `version ${applied.moduleVersion}`, is: `version ${version}` };
  return [{ field: 'module', ...texts, effect: 'start', reason }];
}

/** Of layers that are seeded the registry knows best, of those before them only the record. */
async function storedSchemas(
  record: RegistryRecord,
  applied: AppliedWorld | undefined,
  control: Control,
  store: Pick<Store, 'getSchema'>,
): Promise<LayerSchema[]> {
  const schemas: LayerSchema[] = [];
  for (const hash of [record.schemaHash, ...Object.values(record.others ?? {})]) {
    const json = await store.getSchema(hash);
    // What a module declares is compared, not what other layers copy of it.
    if (json !== undefined) schemas.push(ownSchema(parseSchema(json)));
  }
  for (const layer of Object.keys((applied?.manifest['layers'] as object | undefined) ?? {})) {
    if (schemas.some((schema) => schema.layer === layer)) continue;
    const kept = await control.layer(record.world, layer);
    if (kept !== undefined) schemas.push(parseSchema(kept.schema));
  }
  return schemas;
}
