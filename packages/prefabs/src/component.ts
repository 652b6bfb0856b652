/** What an entity remembers of the prefab it descends from. For the modules of worlds. */
import { component, string } from '@leasehold/sdk';

/**
 * List it in the components of a world that has prefabs. `name` is the prefab's, `version` the commit
 * of the repository as it was when the entity was made, or was last brought up to it.
 */
export const Prefab = component('prefab', 1, { name: string, version: string });
