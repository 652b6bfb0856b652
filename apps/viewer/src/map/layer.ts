/** What all layers of the map share: where things are on the screen, and how it is coloured. */
import type { Positions } from '@leasehold/client';
import type { MapColours } from '../theme.ts';
import type { Screen } from './picking.ts';

/** What one frame is drawn from. One object, reused. */
export type Frame = {
  nowMs: number;
  positions: Positions;
  /** From space to pixels. */
  readonly screen: { -readonly [Name in keyof Screen]: Screen[Name] };
  widthPx: number;
  heightPx: number;
  /** What is left of the one, or not left of the other, is not shown: another time is there. */
  fromPx: number;
  toPx: number;
};

export const NOBODY: Positions = {
  count: 0,
  ids: new Float64Array(0),
  x: new Float64Array(0),
  y: new Float64Array(0),
  heading: new Float32Array(0),
  version: 0,
  tick: Number.NaN,
};

export interface Layer {
  draw(frame: Frame): void;
  recolour(colours: MapColours): void;
}
