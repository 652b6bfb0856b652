/** The one way in which an area is refused. */
import { LeaseholdError } from '@leasehold/kernel';

const SHOWN_MAX = 80;

/** `AREA_INVALID`: the field as a view message writes it, such as `area.points[3]`. */
export function areaFault(
  field: string,
  value: unknown,
  problem: string,
  remedy: string,
): LeaseholdError {
  const shown = showValue(value);
  return new LeaseholdError('AREA_INVALID', `${field}: ${shown} ${problem}`, {
    field,
    value: shown,
    remedy,
  });
}

function showValue(value: unknown): string {
  const text = Array.isArray(value) ? `[${value.map(String).join(', ')}]` : String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** Refuses what is not a finite number. */
export function checkFinite(field: string, value: unknown): void {
  if (typeof value === 'number' && Number.isFinite(value)) return;
  throw areaFault(field, value, 'is not a coordinate', 'Use a finite number.');
}
