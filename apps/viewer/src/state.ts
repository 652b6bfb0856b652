/** What the page knows and what its user has chosen, as signals. It talks to nobody. */
import type {
  Holders,
  JournalItem,
  PlanView,
  Snapshot,
  Status,
  ViewState,
  Welcome,
} from '@leasehold/client';
import { computed, signal } from '@preact/signals';
import type { FeedLine } from './feed.ts';
import { PodColours } from './palette.ts';
import type { PodRow } from './pod-rows.ts';
import type { Curve } from './populations.ts';

export type Layer = 'cells' | 'holders' | 'regions' | 'ids' | 'trails';

/** One entity with all its components, as `/query` tells it. */
export type Inspection = {
  readonly id: number;
  readonly tick: number;
  readonly cell: number;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

export const link = signal<{ readonly state: ViewState; readonly why: string }>({
  state: 'connecting',
  why: '',
});
export const welcome = signal<Welcome | undefined>(undefined);
export const status = signal<Status | undefined>(undefined);
export const holders = signal<Holders | undefined>(undefined);
/** Version 0: nobody plans. Undefined before anything was told. */
export const plan = signal<PlanView | undefined>(undefined);
/** Newest first. */
export const journal = signal<readonly JournalItem[]>([]);
export const isPlanned = computed(() => (plan.value?.version ?? 0) > 0);
export const feedLines = signal<readonly FeedLine[]>([]);
export const pods = signal<readonly PodRow[]>([]);
export const figures = signal<{
  readonly tick: number;
  readonly ticksPerS: number | undefined;
  readonly entities: number | undefined;
  readonly births: number;
  readonly deaths: number;
}>({ tick: 0, ticksPerS: undefined, entities: undefined, births: 0, deaths: 0 });
/** How many there were of each kind; none where entities are of no kind. */
export const populations = signal<readonly Curve[]>([]);
export const gauges = signal({ fps: 0, frameMsP95: 0, latencyMs: Number.NaN, inView: 0 });

/** Entities that the map itself was told of, while it is told of the whole world. */
export const counted = signal<number | undefined>(undefined);

/** One instance: colours must be the same on the map and in the panel. */
export const colours = new PodColours();

/** '' = this page may not kill. */
export const token = signal('');
export const canKill = computed(() => token.value !== '' && welcome.value?.canKill === true);

/** 0 = nobody. */
export const selected = signal(0);
export const inspection = signal<Inspection | undefined>(undefined);
/** Why there is nothing to inspect. */
export const inspectionFault = signal('');
export const isFollowing = signal(false);
export const hovered = signal<{ id: number; xPx: number; yPx: number; text: string } | undefined>(
  undefined,
);

/** What of the plan is pointed at, in the panel or on the map: which row, and its regions. */
export type PlanSpot = { readonly key: string; readonly regions: readonly number[] };
export const regionKey = (id: number): string => `region ${id}`;
export const pointed = signal<PlanSpot | undefined>(undefined);
/** Chosen with a finger, a click or the keyboard: it stays lit until it is chosen again. */
export const pinned = signal<PlanSpot | undefined>(undefined);
/** Regions that the map lights. */
export const lit = computed(() => (pointed.value ?? pinned.value)?.regions ?? []);

export function pin(spot: PlanSpot): void {
  pinned.value = pinned.value?.key === spot.key ? undefined : spot;
}

/** Oldest first. */
export const snapshots = signal<readonly Snapshot[]>([]);
/** The id of the snapshot that the map shows; '' = now. */
export const asOf = signal('');
export const pastSnapshot = computed(() => snapshots.value.find(({ id }) => id === asOf.value));
/** Whether now is shown beside the snapshot, right of the divider. */
export const isComparing = signal(false);
/** Where the divider is: a share of the map's width. */
export const divider = signal(0.5);
/** The share of the map, from the left, that is the past. */
export const pastShare = computed(() => {
  if (asOf.value === '') return 0;
  return isComparing.value ? divider.value : 1;
});
/** The snapshot that questions are about: while now is beside it, they are about now. */
export const askedAsOf = computed(() => (isComparing.value ? '' : asOf.value));

export const layers = {
  cells: signal(true),
  holders: signal(true),
  regions: signal(true),
  ids: signal(false),
  trails: signal(false),
} as const satisfies Record<Layer, unknown>;

export type Theme = 'dark' | 'light';
export const theme = signal<Theme>('dark');
export const isHelpOpen = signal(false);
/** Why the map cannot be drawn; '' while it can. */
export const mapFault = signal('');
/** A short sentence about what the user just did; read out and soon gone. */
export const notice = signal('');

/** What the camera can be told. The map puts it here when it is ready. */
export type MapControls = {
  panBy(xPx: number, yPx: number): void;
  zoomBy(factor: number): void;
  home(): void;
  centreOn(x: number, y: number): void;
  /** Selects the entity after or before the selected one, among those on the screen. */
  selectBeside(step: 1 | -1): void;
};
export const controls = signal<MapControls | undefined>(undefined);

export function select(id: number): void {
  if (id === selected.value) return;
  inspection.value = undefined;
  inspectionFault.value = '';
  if (id === 0) isFollowing.value = false;
  selected.value = id;
}
