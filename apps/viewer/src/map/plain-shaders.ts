/**
 * Makes Pixi's shaders read one texture each. They usually choose among 16 for every pixel; where
 * the processor draws instead of a graphics card, that costs more than all the rest.
 */
import { GlLimitsSystem } from 'pixi.js';

/**
 * To be called before the first renderer is made. PERF: with software drawing, a frame of the whole
 * world with 8,700 entities took 1,000 ms without and 180 ms with it, on a busy machine.
 */
export function usePlainShaders(): void {
  const measure = GlLimitsSystem.prototype.contextChange;
  GlLimitsSystem.prototype.contextChange = function contextChange(this: GlLimitsSystem): void {
    measure.call(this);
    this.maxBatchableTextures = 1;
  };
}
