/**
 * Which colour stands for which pod. The colours are Okabe and Ito's, made to be told apart by the
 * colour-blind; a pod's number is always shown with them, so none is the only sign.
 */

/** 0xRRGGBB, most distinct first: small worlds have few pods. */
export const POD_COLOURS: readonly number[] = [
  0xe69f00, 0x56b4e9, 0x009e73, 0xcc79a7, 0xf0e442, 0xd55e00, 0x0072b2,
];
/** For cells of a pod that is not known yet. */
export const UNKNOWN_COLOUR = 0x8896a5;

/**
 * Gives each pod a colour and leaves it that colour while anybody speaks of it. A newcomer takes
 * the first colour that is free; when there are more pods than colours, they share.
 */
export class PodColours {
  readonly #slots = new Map<string, number>();

  /** `present`: every pod that lives or still has cells. Others lose their colour. */
  update(present: readonly string[]): void {
    const wanted = new Set(present);
    for (const pod of this.#slots.keys()) if (!wanted.has(pod)) this.#slots.delete(pod);
    const uses = new Uint16Array(POD_COLOURS.length);
    for (const slot of this.#slots.values()) uses[slot]!++;
    for (const pod of present) {
      if (this.#slots.has(pod)) continue;
      const slot = uses.indexOf(Math.min(...uses));
      uses[slot]!++;
      this.#slots.set(pod, slot);
    }
  }

  of(pod: string): number {
    const slot = this.#slots.get(pod);
    return slot === undefined ? UNKNOWN_COLOUR : POD_COLOURS[slot]!;
  }
}

/** What is written on a pod's cells: the number its name ends with, else how its name begins. */
export function podSign(pod: string): string {
  return /\d+$/.exec(pod)?.[0] ?? pod.slice(0, 2);
}

export const cssColour = (rgb: number): string => `#${rgb.toString(16).padStart(6, '0')}`;

/** Black or white, whichever is easier to read on the colour. */
export function inkOn(rgb: number): number {
  return contrast(rgb, 0x000000) >= contrast(rgb, 0xffffff) ? 0x000000 : 0xffffff;
}

/** Contrast ratio of two colours as WCAG 2 defines it, 1 … 21. */
export function contrast(a: number, b: number): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Relative luminance of sRGB, 0 … 1. */
function luminance(rgb: number): number {
  const [r, g, b] = linearRgb(rgb);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** sRGB to linear light, each 0 … 1. */
export function linearRgb(rgb: number): [number, number, number] {
  const channel = (value: number): number => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return [channel((rgb >> 16) & 255), channel((rgb >> 8) & 255), channel(rgb & 255)];
}
