export { type Control, openControl } from './control.ts';
export type { AppliedLayer, AppliedWorld, PrefabIndex, PrefabVersion } from './records.ts';
