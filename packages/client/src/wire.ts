/** What the gateway says, as JSON or decoded. */
export type Area =
  | { readonly kind: 'world' }
  | {
      readonly kind: 'box';
      readonly minX: number;
      readonly minY: number;
      readonly maxX: number;
      readonly maxY: number;
    }
  | { readonly kind: 'circle'; readonly x: number; readonly y: number; readonly radius: number }
  | { readonly kind: 'polygon'; readonly points: readonly (readonly [number, number])[] }
  | { readonly kind: 'around'; readonly entity: number; readonly radius: number };
export type FieldView = { readonly name: string; readonly kind: string; readonly step?: number };
export type ComponentView = {
  readonly name: string;
  readonly version: number;
  readonly fields: readonly FieldView[];
};
export type Welcome = {
  readonly protocol: number;
  readonly gateway: string;
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly tickHz: number;
  readonly mode: 'realtime' | 'lockstep';
  readonly space: {
    readonly kind: 'plane' | 'torus' | 'wgs84';
    readonly width?: number;
    readonly height?: number;
    readonly cell: number;
  };
  readonly grid: {
    readonly columns: number;
    readonly rows: number;
    readonly cellSize: number;
    readonly originX: number;
    readonly originY: number;
    readonly width: number;
    readonly height: number;
    readonly wrapsX: boolean;
    readonly wrapsY: boolean;
  };
  readonly components: readonly ComponentView[];
  readonly spatial: { readonly component: string; readonly x: string; readonly y: string } | null;
  readonly limits: Readonly<Record<string, number>>;
  readonly canKill: boolean;
};
export type PodStatus = {
  readonly pod: string;
  readonly pid: number;
  readonly isConnected: boolean;
  readonly state: string;
  readonly report: Readonly<Record<string, number>>;
};
export type Status = {
  readonly tick: number;
  readonly entities: number;
  readonly pods: readonly PodStatus[];
};
export type FeedItem = {
  readonly atMs: number;
  readonly kind: string;
  readonly pod: string;
  readonly facts: Readonly<Record<string, string | number>>;
};
export type WorldTime = {
  readonly nowMs: number;
  readonly baseMs: number;
  readonly baseTick: number;
  readonly rateHz: number;
  readonly isPaused: boolean;
  readonly isLockstep: boolean;
};
export type Holders = {
  readonly pods: readonly string[];
  readonly gone: readonly boolean[];
  readonly cells: Uint16Array;
};
