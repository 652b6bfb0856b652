export { type Change, type Effect, manifestChanges, schemaChanges } from './changes.ts';
export { coldStoreOf } from './cold-store.ts';
export { homeLayer, type Known, knownOf, knownWorlds } from './known.ts';
export { type LoadedWorld, loadWorld, MANIFEST_FILE, manifestHashOf } from './load.ts';
export {
  LEASE_GRACE_MS_MAX,
  LEASE_GRACE_MS_MIN,
  LEASE_TTL_MS_MAX,
  LEASE_TTL_MS_MIN,
  type Manifest,
  type PrefabSource,
  SEED_MAX,
  SPACE_KINDS,
  TICK_HZ_MAX,
  TICK_HZ_MIN,
  worldSchemaJson,
} from './manifest.ts';
export { moduleMark, moduleVersion } from './module-version.ts';
export { openRegistry, type RegistryPlace } from './open-registry.ts';
export { endWhenReplaced, type Replaced, watchReplaced } from './replaced.ts';
export {
  pauseWorld,
  resumeWorld,
  stepWorld,
  type TimeChange,
  type TimedWorld,
  timeOf,
} from './time.ts';
