export { assignBlocks } from './assignment.ts';
export { Pod } from './pod.ts';
export type { PodReport } from './report.ts';
export type { Log, PodParts, PodSettings } from './settings.ts';
