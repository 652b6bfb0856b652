export { assignBlocks } from './assignment.ts';
export { Pod } from './pod.ts';
export type { PodReport } from './report.ts';
export type { PodParts, PodSettings } from './settings.ts';
