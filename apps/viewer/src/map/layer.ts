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
};

export interface Layer {
  draw(frame: Frame): void;
  recolour(colours: MapColours): void;
}
