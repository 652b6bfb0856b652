/** Numbers and values as the page writes them. Pure; English, whatever the browser's language. */

const WHOLE = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const VALUE_CHARS_MAX = 20_000;

/** 8,757; a dash for what is not known. */
export function whole(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '–' : WHOLE.format(value);
}

/** Three digits that matter: 0.42, 4.2, 42, 420. */
export function short(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1_000) return WHOLE.format(value);
  if (size >= 100 || size === 0) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** "1 cell", "212 cells". */
export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** The value of a field on one line where it is short; JSON is indented and cut when huge. */
export function valueText(value: unknown): string {
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return value === '' ? '(empty)' : value;
  if (typeof value !== 'object' || value === null) return String(value);
  const text = JSON.stringify(value, null, 1) ?? '';
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}\n…` : text;
}

function numberText(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(9)));
}

/** A position for people: "51.5° N, 0.1° W" on the globe, "12.3, 45.6" elsewhere. */
export function placeText(x: number, y: number, isGlobe: boolean): string {
  if (!isGlobe) return `${short(x)}, ${short(y)}`;
  const north = `${Math.abs(y).toFixed(1)}° ${y < 0 ? 'S' : 'N'}`;
  return `${north}, ${Math.abs(x).toFixed(1)}° ${x < 0 ? 'W' : 'E'}`;
}
