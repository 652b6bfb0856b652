/** The record of what was applied to a world, as it is written by whoever seeds, applies or runs it. */
import type { AppliedLayer, AppliedWorld } from '@leasehold/control';
import { hashOf } from '@leasehold/kernel';
import { canonicalJson, type Json, layerSchema, schemaJson } from '@leasehold/protocol';
import { type Manifest, moduleMark, moduleVersion } from '@leasehold/world';
import type { CheckedWorld } from '../stored-world.ts';

/** The manifest as it holds for the stored world, whatever flags have made of it. */
export function heldManifest({ loaded, name, mode, seed }: CheckedWorld): AppliedWorld['manifest'] {
  return { ...loaded.manifest, world: name, mode, seed };
}

export function manifestHashOf(manifest: AppliedWorld['manifest']): string {
  return hashOf(new TextEncoder().encode(canonicalJson(manifest as Json, 'world.yaml')));
}

/** The schemas of all layers, as the module declares them: without copies and what is the engine's. */
export function layerSchemas({ loaded: { manifest, simulation } }: Pick<CheckedWorld, 'loaded'>) {
  return Object.entries(manifest.layers).map(([layer, names]) => {
    const declared = simulation.components.map(({ schema }) => schema);
    return layerSchema(
      layer,
      declared.filter(({ name }) => names.includes(name)),
    );
  });
}

/** Writes it. The libraries for it are loaded now: they take longer than all other commands. */
export async function recordApplied(
  checked: CheckedWorld,
  incarnation: number,
  redisUrl: string,
): Promise<AppliedWorld> {
  const { openControl } = await import('@leasehold/control');
  const { commitOf } = await import('@leasehold/prefabs');
  const { folder } = checked.loaded;
  const manifest = heldManifest(checked);
  const record: AppliedWorld = {
    world: checked.name,
    incarnation,
    manifest,
    manifestHash: manifestHashOf(manifest),
    folder,
    moduleVersion: await moduleVersion(checked.loaded),
    moduleCommit: await commitOf(folder),
    appliedAt: new Date().toISOString(),
  };
  const layers = layerSchemas(checked).map(
    (schema): AppliedLayer => ({
      world: checked.name,
      layer: schema.layer,
      components: schema.components.map(({ name }) => name),
      schemaHash: schema.hash,
      schema: schemaJson(schema),
    }),
  );
  const control = await openControl(redisUrl);
  try {
    await control.putWorld(record, layers);
  } finally {
    await control.close();
  }
  return record;
}

/** Module and settings that were applied, as pods report theirs. */
export function markOf({ moduleVersion: version, manifest }: AppliedWorld): number {
  return moduleMark(version, manifest as unknown as Manifest);
}

/** Of what was applied last, as pods report theirs; undefined: none ever was. */
export async function appliedMark(world: string, redisUrl: string): Promise<number | undefined> {
  const { openControl } = await import('@leasehold/control');
  const control = await openControl(redisUrl);
  try {
    const record = await control.world(world);
    return record === undefined ? undefined : markOf(record);
  } finally {
    await control.close();
  }
}
