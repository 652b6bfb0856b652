export { type Descendant, findDescendants } from './descendants.ts';
export { type FollowerOptions, PrefabFollower } from './follower.ts';
export { type OpenPrefabs, type OpenPrefabsOptions, openWorldPrefabs } from './open.ts';
export { type Patch, type PatchPost, patchOf, patchPost, postAll } from './patches.ts';
export { type Components, checkedComponents, type Prefab } from './prefab.ts';
export {
  commitOf,
  openRepository,
  type PrefabRepository,
  type PrefabSource,
} from './repository.ts';
export { SPAWN_MAX, type SpawnRequest, spawnedCounts, spawnedEntities } from './spawn.ts';
export type { PrefabDifference, PrefabSet } from './versions.ts';
export {
  prefabWebhook,
  SECRET_CHARACTERS_MIN,
  type WebhookOptions,
  type WebhookReply,
  type WebhookRequest,
} from './webhook.ts';
export {
  type Descent,
  descentsOf,
  type LivePatches,
  type PrefabPlan,
  WorldPrefabs,
} from './world-prefabs.ts';
