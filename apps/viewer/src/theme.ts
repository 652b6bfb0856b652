/** Dark or light: as the system says until the user says otherwise. */
import { effect } from '@preact/signals';
import { type Theme, theme } from './state.ts';

const KEY = 'leasehold-theme';

export function startTheme(): void {
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  const stored = storedTheme();
  const fromSystem = (): Theme => (systemDark.matches ? 'dark' : 'light');
  theme.value = stored ?? fromSystem();
  systemDark.addEventListener('change', () => {
    if (storedTheme() === undefined) theme.value = fromSystem();
  });
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
    const colour = theme.value === 'dark' ? '#0a1524' : '#eef3f7';
    document.querySelector('meta[name=theme-color]')?.setAttribute('content', colour);
  });
}

export function toggleTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // Storage may be switched off: the choice then lasts as long as the page.
  }
}

function storedTheme(): Theme | undefined {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'dark' || stored === 'light' ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** Colours of what the map draws itself, 0xRRGGBB. */
export type MapColours = {
  /** Outside the world. */
  readonly beyond: number;
  readonly sea: number;
  readonly land: number;
  readonly coast: number;
  readonly grid: number;
  readonly gridAlpha: number;
  readonly holderAlpha: number;
  readonly border: number;
  readonly hatch: number;
  readonly mover: number;
  readonly still: number;
  readonly stillAlpha: number;
  readonly trail: number;
  readonly mark: number;
  readonly ink: number;
  /** Whatever is of a snapshot. */
  readonly past: number;
};

export const MAP_COLOURS: Readonly<Record<Theme, MapColours>> = {
  dark: {
    beyond: 0x060f1b,
    sea: 0x0a1728,
    land: 0x263f5b,
    coast: 0x4d6d90,
    grid: 0x9fc2e6,
    gridAlpha: 0.09,
    holderAlpha: 0.24,
    border: 0xdcecff,
    hatch: 0x9aa7b5,
    mover: 0xf4f9ff,
    still: 0xa9c3dd,
    stillAlpha: 0.5,
    trail: 0xbfe0ff,
    mark: 0xffffff,
    ink: 0xf4f9ff,
    past: 0xffc15c,
  },
  light: {
    beyond: 0xcfdde7,
    sea: 0xe3edf4,
    land: 0xfbfaf5,
    coast: 0x9fb2c1,
    grid: 0x24405c,
    gridAlpha: 0.1,
    holderAlpha: 0.36,
    border: 0x1d3146,
    hatch: 0x5a6773,
    mover: 0x0f2237,
    still: 0x3c536b,
    stillAlpha: 0.45,
    trail: 0x23507d,
    mark: 0x06121f,
    ink: 0x0d1d2e,
    past: 0x7d4a00,
  },
};
