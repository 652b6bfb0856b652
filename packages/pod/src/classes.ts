/** Says aloud which classes of durability are not in force. */
import { durabilityText, type WorldClock } from '@leasehold/protocol';
import type { PodParts } from './settings.ts';

/** In lockstep a death leaves no trace, so nothing may be lost by one (T1). */
export function warnOfClasses({ engine, log }: PodParts, clock: WorldClock | undefined): void {
  if (clock?.mode !== 'lockstep') return;
  const classed = engine.schema.components.filter(({ durability }) => durability !== undefined);
  if (classed.length === 0) return;
  const components = classed.map((component) => `${component.name}: ${durabilityText(component)}`);
  log.warn({ components }, 'in lockstep every component is told in each tick and kept');
}
