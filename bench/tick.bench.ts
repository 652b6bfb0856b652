/**
 * What a tick of a pod costs before anything is written: systems of the sdk beside loops by hand
 * and beside bitECS, one after the other in every round.
 */
import { type Benchmark, type Figure, median } from './figure.ts';
import {
  bitecsCrowd,
  bitecsDrift,
  bitecsTurnover,
  ENTITIES,
  handCrowd,
  handDrift,
  handTurnover,
  type Seeds,
  sdkTick,
  seeds,
  type Tick,
} from './tick-contenders.ts';

const ROUNDS = 9;
const TIMES_MAX = 1.5;

type Contenders = Readonly<Record<'sdk' | 'hand' | 'bitecs', Tick>>;
type Round = Readonly<Record<keyof Contenders, number>>;

export const tick: Benchmark = {
  tag: 'tick',
  what: `${ENTITIES.toLocaleString('en-US')} entities in memory: moved, looking around, replaced`,
  async run(say, { isQuick }) {
    const from = seeds();
    const figures: Figure[] = [];
    for (const { what, open, ticks, warmUpRounds } of CASES) {
      const contenders = await open(from);
      for (let n = 0; n < (isQuick ? 0 : warmUpRounds); n++) runRound(contenders, ticks);
      const rounds: Round[] = [];
      for (let n = 0; n < (isQuick ? 1 : ROUNDS); n++) {
        const round = runRound(contenders, isQuick ? 1 : ticks);
        rounds.push(round);
        const { sdk, hand, bitecs } = round;
        say(`${what}: ${[sdk, hand, bitecs].map((ms) => ms.toFixed(2)).join(', ')} ms a tick`);
      }
      figures.push(...figuresOf(what, rounds, isQuick));
    }
    return figures;
  },
};

type Case = {
  readonly what: string;
  /** In a round. */
  readonly ticks: number;
  /** Until V8 has settled on the code of every contender. */
  readonly warmUpRounds: number;
  open(from: Seeds): Promise<Contenders>;
};

const CASES: readonly Case[] = [
  {
    ...{ what: 'position += velocity', ticks: 20, warmUpRounds: 25 },
    open: async (from) => ({
      sdk: (await sdkTick('drift', from, false)).tick,
      hand: handDrift(from).tick,
      bitecs: bitecsDrift(from).tick,
    }),
  },
  {
    ...{ what: 'neighbours', ticks: 3, warmUpRounds: 3 },
    open: async (from) => ({
      sdk: (await sdkTick('crowd', from, false)).tick,
      hand: handCrowd(from).tick,
      bitecs: bitecsCrowd(from).tick,
    }),
  },
  {
    ...{ what: 'births and deaths', ticks: 10, warmUpRounds: 20 },
    open: async (from) => {
      const { tick: sdk, cells } = await sdkTick('turnover', from, true);
      return { sdk, hand: handTurnover(cells).tick, bitecs: bitecsTurnover(from).tick };
    },
  },
];

/**
 * The shortest of the ticks of each contender: a tick of a millisecond is either interrupted by
 * another process or it is not, and an interruption says nothing about the tick.
 */
function runRound(contenders: Contenders, ticks: number): Round {
  const of = (run: Tick): number => Math.min(...Array.from({ length: ticks }, run));
  return { sdk: of(contenders.sdk), hand: of(contenders.hand), bitecs: of(contenders.bitecs) };
}

function figuresOf(what: string, rounds: readonly Round[], isQuick: boolean): Figure[] {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure));
  const times = of(({ sdk, hand }) => sdk / hand);
  const ahead = of(({ sdk, bitecs }) => bitecs / sdk);
  const aim = (target: string, isMet: boolean) => (isQuick ? {} : { target, isMet });
  return [
    {
      ...{ name: `${what}: as long as loops by hand`, value: times, unit: 'times' },
      ...aim(`≤ ${TIMES_MAX}`, times <= TIMES_MAX),
    },
    {
      ...{ name: `${what}: times faster than bitECS`, value: ahead, unit: '×' },
      ...aim('> 1', ahead > 1),
    },
    { name: `${what}: a tick`, value: of(({ sdk }) => sdk), unit: 'ms' },
  ];
}
