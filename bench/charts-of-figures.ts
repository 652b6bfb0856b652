/**
 * Which saved figures are drawn as bars, and where. By the figures' names, so that a chart can be
 * drawn again from what was saved, without measuring.
 */
import type { Aim, Bar, Bars } from './charts-bars.ts';
import type { Figure } from './figure.ts';

type Panel = {
  readonly title: string;
  /** Of the values: what, and in which unit. */
  readonly label: string;
  readonly isLog?: boolean;
  readonly picks: readonly Pick[];
};

/** The row and the series of a figure are groups of its name, unless they are said here. */
type Pick = { readonly figure: RegExp; readonly row?: string; readonly series?: string };

const OURS = 'Leasehold';
const THEIRS = '@colyseus/schema 4';

const PANELS: Readonly<Record<string, readonly Panel[]>> = {
  commit: [
    {
      title: 'A pod commits more than a key for each entity would allow',
      label: 'updates a second',
      picks: [
        {
          figure:
            /^(?<series>[\d,]+ entities): (?<row>updates committed|with simulation and encoding|one HSET and one GEOADD each)$/,
        },
      ],
    },
    {
      title: 'Updates, compared with one HSET and one GEOADD for each',
      label: 'times as many',
      picks: [{ figure: /^(?<row>[\d,]+ entities): times one HSET and one GEOADD each$/ }],
    },
    {
      title: 'Updates, compared with the same bytes as bare XADDs',
      label: 'times as many',
      picks: [{ figure: /^(?<row>[\d,]+ entities): times the same bytes as bare XADDs$/ }],
    },
    {
      title: 'What an update costs Redis',
      label: 'ns of its main thread',
      picks: [
        { figure: /^(?<series>[\d,]+ entities): Redis time per update$/, row: 'committed' },
        { figure: /^(?<series>[\d,]+ entities): Redis time of a bare XADD$/, row: 'bare XADD' },
      ],
    },
  ],
  tick: [
    {
      title: 'Systems of the sdk, compared with loops by hand',
      label: 'times as long',
      picks: [{ figure: /^(?<row>.+): as long as loops by hand$/ }],
    },
    {
      title: 'Systems of the sdk, compared with bitECS',
      label: 'times faster',
      picks: [{ figure: /^(?<row>.+): times faster than bitECS$/ }],
    },
    {
      title: 'A tick of 100,000 entities',
      label: 'ms',
      isLog: true,
      picks: [{ figure: /^(?<row>.+): a tick$/ }],
    },
  ],
  abm: [
    {
      title: 'Agent models with the sdk, compared with loops by hand',
      label: 'times as long',
      picks: [{ figure: /^(?<row>.+) (?<series>small|large): as long as loops by hand$/ }],
    },
    {
      title: 'The same models with a commit for each step, compared with in memory',
      label: 'times as long',
      picks: [{ figure: /^(?<row>.+) (?<series>small|large): on Redis, as long as in memory$/ }],
    },
    {
      title: 'The outcomes of sdk and loops by hand, how far apart',
      label: 'standard errors',
      picks: [
        { figure: /^(?<row>.+) (?<series>small|large): outcomes apart, in standard errors$/ },
      ],
    },
    {
      title: 'A run in memory',
      label: 'ms',
      isLog: true,
      picks: [{ figure: /^(?<row>.+) (?<series>small|large): a run$/ }],
    },
  ],
  follow: [
    {
      title: 'From a commit to a single follower',
      label: 'ms',
      picks: [{ figure: /^(?<row>\w+), 1 follower: commit to seen, (?<series>p\d+)$/ }],
    },
  ],
  takeover: [
    {
      title: 'What a takeover costs a cell',
      label: 'ticks missed',
      picks: [{ figure: /^pod (?<row>[\w ]+): ticks that a cell missed, (?<series>p\d+)$/ }],
    },
    {
      title: 'How long a cell stands still',
      label: 'ms',
      picks: [{ figure: /^pod (?<row>[\w ]+): gap of a cell, (?<series>p\d+)$/ }],
    },
  ],
  parade: [
    {
      title: 'One crowd of 20,000 on two pods',
      label: '% of its ticks missed',
      picks: [{ figure: /^(?<row>[\w ]+): ticks missed$/ }],
    },
  ],
  view: [
    {
      title: 'What a core of the gateway encodes',
      label: 'entity updates a second',
      picks: [
        { figure: /^100 views of .+: updates a second and core$/, row: '100 views', series: OURS },
        { figure: /^the same by @colyseus\/schema 4$/, row: '100 views', series: THEIRS },
        { figure: /^encoding alone: updates a/, row: 'encoding alone', series: OURS },
        { figure: /^the same by .+, alone$/, row: 'encoding alone', series: THEIRS },
      ],
    },
    {
      title: `Updates encoded, compared with ${THEIRS}`,
      label: 'times as many',
      picks: [{ figure: /^as many times, (?:the )?(?<row>.+)$/ }],
    },
    {
      title: 'What an entity update weighs',
      label: 'bytes',
      picks: [
        { figure: /^bytes of an entity update on the wire$/, row: 'on the wire', series: OURS },
        { figure: /^100 views of .+: bytes of an update$/, row: '100 views', series: OURS },
        { figure: /^bytes of an update by @colyseus/, row: '100 views', series: THEIRS },
      ],
    },
    {
      title: `Bytes, compared with ${THEIRS}`,
      label: 'part of them',
      picks: [{ figure: /^part of their bytes, the (?<row>.+)$/ }],
    },
    {
      title: 'From a commit to the frame, one client',
      label: 'ms',
      picks: [{ figure: /^commit to frame received, one client, (?<row>\w+)$/ }],
    },
    {
      title: 'From the due time of a tick to the frame, a hundred clients',
      label: 'ms',
      picks: [{ figure: /^crowd: lag of (?:the )?(?<row>.+)$/ }],
    },
    {
      title: 'Memory of the gateway for each of a hundred clients',
      label: 'KB',
      picks: [
        { figure: /^crowd: memory of a client/, row: 'heap and buffers' },
        { figure: /^crowd: the same by resident memory$/, row: 'resident' },
      ],
    },
  ],
  memory: [
    {
      title: 'What an idle, held cell costs Redis',
      label: 'bytes',
      picks: [{ figure: /^an idle, held cell in Redis$/, row: 'idle cell' }],
    },
    {
      title: 'Memory of a gateway for each of its clients',
      label: 'KB',
      picks: [{ figure: /^a client of a gateway, (?<row>.+)$/ }],
    },
  ],
  plan: [
    {
      title: 'What a plan for 100 pods takes',
      label: 'ms',
      picks: [{ figure: /^(?<row>[\d,]+ cells), 100 pods: (?<series>.+)$/ }],
    },
    {
      title: 'Sixteen times as many cells, as long as 2,500',
      label: 'times',
      picks: [{ figure: /^(?<row>40,000 cells), as long as 2,500$/ }],
    },
  ],
  traffic: [
    {
      title: 'Commands that a pod sends for a tick of 64 cells',
      label: 'commands',
      picks: [{ figure: /^commands a tick, with (?<row>.+)$/ }],
    },
  ],
  snapshot: [
    {
      title: 'Snapshots and restores, compared with bare copies of the same bytes',
      label: 'times as fast',
      picks: [
        { figure: /^speed against the bare COPY$/, row: 'a snapshot' },
        { figure: /^speed of a restore against that$/, row: 'a restore' },
      ],
    },
    {
      title: 'The next snapshot, 5 % of the cells changed, compared with the first',
      label: '%',
      picks: [{ figure: /^its (?<row>time|bytes), of (?:that|those) of the first$/ }],
    },
    {
      title: 'Memory of the process that takes or restores it',
      label: 'MB',
      picks: [{ figure: /^memory of the process that takes/, row: 'at most' }],
    },
  ],
  'snapshot-live': [
    {
      title: 'Ticks while snapshots are taken one after the other, and while none is',
      label: 'ms',
      picks: [
        { figure: /^a tick while none is taken, (?<row>p\d+)$/, series: 'none is taken' },
        { figure: /^a tick while they are taken, (?<row>p\d+)$/, series: 'they are taken' },
      ],
    },
    {
      title: 'p99 of ticks while they are taken, compared with while none is',
      label: 'times',
      picks: [{ figure: /^its p99, of that while none is taken$/, row: 'p99' }],
    },
  ],
  cold: [
    {
      title: 'Redis with 100,000 cells of which 500 are awake, compared with those 500',
      label: 'times',
      picks: [{ figure: /^Redis, times what only the cells awake take$/, row: 'memory' }],
    },
    {
      title: 'How long a cell that slept takes to wake',
      label: 'ms',
      picks: [
        {
          figure:
            /^a cell that slept, until it is (?<row>acquired and read|posted to): (?<series>p\d+)$/,
        },
      ],
    },
  ],
};

/** The bars of a benchmark's figures; panels without any are left out. */
export function barsOf(tag: string, figures: readonly Figure[]): Bars[] {
  return (PANELS[tag] ?? []).flatMap(({ title, label, isLog = false, picks }) => {
    const bars = figures.flatMap((figure) => barOf(figure, picks) ?? []);
    const [first] = bars;
    if (first === undefined) return [];
    const x = { label, ...(isLog ? { isLog } : {}) };
    return [{ title, x, bars: bars.map((bar) => withLine(bar, first)) }];
  });
}

type Aimed = Omit<Bar, 'aim'> & { readonly target?: string };

function barOf(figure: Figure, picks: readonly Pick[]): Aimed | undefined {
  const { name, value, target, isMet } = figure;
  for (const { figure: pattern, row, series } of picks) {
    const match = pattern.exec(name);
    if (match === null || !Number.isFinite(value)) continue;
    return {
      row: row ?? match.groups?.['row'] ?? name,
      series: series ?? match.groups?.['series'] ?? '',
      value,
      ...(target === undefined ? {} : { target }),
      ...(isMet === undefined ? {} : { isMet }),
    };
  }
  return undefined;
}

/** `≤ 1.5` is a line at 1.5, `the same` one at the first value; other words are no line. */
function withLine({ target, ...bar }: Aimed, first: Aimed): Bar {
  const aim = target === undefined ? undefined : aimOf(target, first.value);
  return aim === undefined ? bar : { ...bar, aim };
}

function aimOf(said: string, first: number): Aim | undefined {
  if (said === 'the same') return { said, value: first };
  const [, digits] = /^[≤≥<>] ?([\d.,]+)$/.exec(said) ?? [];
  return digits === undefined ? undefined : { said, value: Number(digits.replaceAll(',', '')) };
}
