import { readConfig, text } from '@leasehold/service';

/** Every variable of the check that `leasehold dev` starts; the commands take flags. */
const settings = {
  worldFolder: text('WORLD_FOLDER', 'Folder with world.yaml and the simulation module.'),
};

export function loadCheckConfig(env: NodeJS.ProcessEnv) {
  return readConfig(settings, env);
}
