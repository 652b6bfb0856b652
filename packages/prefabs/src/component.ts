/** What an entity remembers of the prefab it descends from. For the modules of worlds. */
import { component, string } from '@leasehold/sdk';

/**
 * List it in the components of a world that has prefabs. `name` is the prefab's, `version` the commit
 * of the repository when the entity was made, or that it was last brought up to; '' counts as the
 * first that the world had.
 */
export const Prefab = component('prefab', 1, { name: string, version: string });
