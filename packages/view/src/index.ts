export { areaFromText, entityFromText, numbersFromText } from './area-words.ts';
export { type HubCounts, type HubParts, type ViewFacts, ViewHub } from './hub.ts';
export { VIEW_LIMITS, type ViewLimits } from './limits.ts';
export {
  type CellPositions,
  NEAREST_COUNT_MAX,
  type Nearest,
  type NearestParts,
  type NearestQuery,
  nearest,
} from './nearest.ts';
export type { PastCells, PastSnapshot, PastSource } from './past.ts';
export type { Found, FoundEntity } from './search.ts';
export type { Peer, Viewer } from './viewer.ts';
