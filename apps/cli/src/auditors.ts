/**
 * The auditors of a run, one for each layer of its world, heard as one: what any of them finds broken is
 * broken, and at rest all layers must have the same entities.
 */
import { Hasher } from '@leasehold/kernel';
import type { AuditStatus, Violation } from '@leasehold/protocol';
import { AuditorProcess, type AuditTarget, type Verdict } from './auditor-process.ts';

/** As in a verdict. */
const VIOLATIONS_MAX = 100;

export type LayerCount = {
  readonly layer: string;
  readonly entitiesEnd: number;
  readonly created: number;
  readonly deleted: number;
};

export class Auditors {
  readonly #layers: readonly string[];
  readonly #all: readonly AuditorProcess[];

  /** `layers`: the one that says who lives and where first. */
  constructor(
    target: Omit<AuditTarget, 'layer' | 'layers'>,
    layers: readonly string[],
    names: readonly string[],
  ) {
    this.#layers = layers;
    this.#all = layers.map((layer) => new AuditorProcess({ ...target, layer, layers: names }));
  }

  /** Resolves when all have counted the world: nothing must tick before that. */
  async ready(): Promise<{ readonly entities: number; readonly tick: number }> {
    const all = await Promise.all(this.#all.map((auditor) => auditor.ready()));
    const tick = Math.max(...all.map((each) => each.tick));
    return { entities: all[0]?.entities ?? 0, tick };
  }

  /** The first's, with the faults of all; undefined until each has said something. */
  get status(): AuditStatus | undefined {
    const said = this.#all.flatMap(({ status }) => status ?? []);
    const [first] = said;
    if (first === undefined || said.length < this.#all.length) return undefined;
    const sum = (of: (status: AuditStatus) => number): number =>
      said.reduce((total, status) => total + of(status), 0);
    return {
      ...first,
      lost: sum(({ lost }) => lost),
      duplicated: sum(({ duplicated }) => duplicated),
      unaccounted: sum(({ unaccounted }) => unaccounted),
      violations: sum(({ violations }) => violations),
      entries: sum(({ entries }) => entries),
      tickMin: Math.min(...said.map(({ tickMin }) => tickMin)),
      isConnected: said.every(({ isConnected }) => isConnected),
    };
  }

  /** Asks for the last words; the auditors end with them. */
  async verdict(): Promise<Verdict & { readonly layers: readonly LayerCount[] }> {
    const all = await Promise.all(this.#all.map((auditor) => auditor.verdict()));
    const counts = all.map(({ entitiesEnd, created, deleted }, i) => {
      return { layer: this.#layers[i] ?? '', entitiesEnd, created, deleted };
    });
    return { ...merged(all, this.#layers), layers: counts };
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((auditor) => auditor.close()));
  }
}

/** One word of all. Exported for its test. */
export function merged(all: readonly Verdict[], layers: readonly string[]): Verdict {
  const [first] = all as [Verdict, ...Verdict[]];
  if (all.length === 1) return first;
  const sum = (of: (verdict: Verdict) => number): number =>
    all.reduce((total, verdict) => total + of(verdict), 0);
  const disagreeing = disagreements(all, layers);
  const named = all.flatMap(({ violations }, i) =>
    violations.map((each) => ({ ...each, message: `layer ${layers[i]}: ${each.message}` })),
  );
  return {
    ...first,
    isAtRest: all.every(({ isAtRest }) => isAtRest),
    lost: sum(({ lost }) => lost),
    lostEntities: all.flatMap(({ lostEntities }) => lostEntities),
    duplicated: sum(({ duplicated }) => duplicated),
    duplicatedEntities: all.flatMap(({ duplicatedEntities }) => duplicatedEntities),
    unaccounted: sum(({ unaccounted }) => unaccounted),
    violations: [...disagreeing, ...named].slice(0, VIOLATIONS_MAX),
    violationCount: disagreeing.length + sum(({ violationCount }) => violationCount),
    blindSpotCount: sum(({ blindSpotCount }) => blindSpotCount),
    rollbacks: all.flatMap(({ rollbacks }) => rollbacks),
    healedCells: sum(({ healedCells }) => healedCells),
    rewrittenCells: sum(({ rewrittenCells }) => rewrittenCells),
    unhealedCells: sum(({ unhealedCells }) => unhealedCells),
    unhealed: all.flatMap(({ unhealed }) => unhealed),
    tickMin: Math.min(...all.map(({ tickMin }) => tickMin)),
    tickMax: Math.max(...all.map(({ tickMax }) => tickMax)),
    stateHash: hashOfAll(all),
    checked: {
      entries: sum(({ checked }) => checked.entries),
      checkpoints: sum(({ checked }) => checked.checkpoints),
      channelEntries: sum(({ checked }) => checked.channelEntries),
      channelEntriesUnseen: sum(({ checked }) => checked.channelEntriesUnseen),
      metas: sum(({ checked }) => checked.metas),
    },
  };
}

/** E1: who exists in one layer exists in all. */
function disagreements(all: readonly Verdict[], layers: readonly string[]): Violation[] {
  const [first, ...others] = all;
  if (first === undefined || !all.every(({ isAtRest }) => isAtRest)) return [];
  return others.flatMap(({ existing }, i) => {
    if (existing.hash === first.existing.hash) return [];
    const of = `${first.existing.count} entities exist in layer ${layers[0]}`;
    const message = `${of}, ${existing.count} in layer ${layers[i + 1]}, or others`;
    return [{ rule: 'E1', cell: -1, message } as const];
  });
}

function hashOfAll(all: readonly Verdict[]): string | null {
  const hasher = new Hasher();
  for (const { stateHash, tickMax } of all) {
    if (stateHash === null || tickMax !== all[0]?.tickMax) return null;
    hasher.text(stateHash);
  }
  return hasher.hex();
}
