/** Which components the map asks for, and what it says of an entity at a glance. Pure. */
import type { Entity, Welcome } from '@leasehold/client';
import { placeText, valueText } from '../format.ts';

/** Fields named in a tooltip; more could not be read in passing. */
const FIELDS_MAX = 4;

/**
 * Positions, and every component without JSON: such fields may be huge, and a map needs none. The
 * inspector fetches them for one entity.
 */
export function mapComponents({ components, spatial }: Welcome): string[] {
  return components
    .filter(
      ({ name, fields }) =>
        name === spatial?.component || fields.every(({ kind }) => kind !== 'json'),
    )
    .map(({ name }) => name);
}

/** "JFK → LHR" would need to know the world; this says what any world's entities have. */
export function glanceText({ id, components }: Entity, { spatial, space }: Welcome): string {
  const lines = [`entity ${id}`];
  for (const [name, fields] of Object.entries(components)) {
    if (name === spatial?.component) continue;
    const texts = Object.entries(fields).filter(([, value]) => typeof value === 'string');
    const shown = (texts.length > 0 ? texts : Object.entries(fields)).slice(0, FIELDS_MAX);
    lines.push(
      [name, ...shown.map(([field, value]) => `${field} ${valueText(value)}`)].join(' · '),
    );
  }
  const place = spatial && components[spatial.component];
  if (spatial && place) {
    const [x, y] = [Number(place[spatial.x]), Number(place[spatial.y])];
    lines.push(placeText(x, y, space.kind === 'wgs84'));
  }
  return lines.join('\n');
}
