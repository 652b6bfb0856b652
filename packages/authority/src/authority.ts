/**
 * One authority process of a layer. Of any number of them one leads: it asks a policy who should
 * hold what, and writes the answer as a plan with its reasons. It grants nothing and keeps nothing
 * that is not in the store, so its death changes nothing for those who tick.
 */
import { type Clock, LeaseholdError, type Log, Signal } from '@leasehold/kernel';
import {
  type Attention,
  gatherInterests,
  gatherLoads,
  type Loads,
  makePlan,
  type PlanPod,
  type Policy,
  podsWanted,
  type Wanted,
} from '@leasehold/plan';
import type { Plan, PlanStore, WritePlanReply } from '@leasehold/protocol';
import { Company } from './company.ts';
import { MeanLoads } from './mean-loads.ts';
import { type OtherLayer, OtherLayers } from './other-layers.ts';
import { AUTHORITY_SETTINGS, type AuthoritySettings } from './settings.ts';
import { areSame, Sleep, type SleepGrid, sleepDecisions, untouched } from './sleep.ts';

export type AuthorityParts = {
  /** Of this process and run. */
  readonly name: string;
  readonly store: PlanStore;
  /** Of the layer that says where all are, where this is of another: what sleeps there sleeps here. */
  readonly home?: Pick<PlanStore, 'plan'>;
  /** Of all other layers, where this is of that one: while something happens there nobody sleeps. */
  readonly others?: readonly OtherLayer[];
  readonly grid: SleepGrid & {
    readonly columns: number;
    readonly rows: number;
    readonly wrapsX: boolean;
    readonly wrapsY: boolean;
  };
  readonly tickHz: number;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings?: Partial<AuthoritySettings>;
};

export type AuthorityStatus = {
  readonly isLeading: boolean;
  /** Who leads, as far as is known; '' = nobody. */
  readonly leader: string;
  readonly term: number;
  readonly plan: Plan | undefined;
  readonly pods: readonly PlanPod[];
  readonly loads: Loads | undefined;
  readonly attention: Attention | undefined;
  readonly wanted: Wanted | undefined;
  /** Why the policy's last answer was not taken; '' = it was. */
  readonly refused: string;
  readonly plans: number;
  readonly decisions: number;
  /** Of the last plan, computing alone. */
  readonly planMs: number;
};

type Seen = { readonly loads: Loads; readonly attention: Attention };

/** What is known only while it leads, and is read anew when it leads again. */
type Term = {
  readonly number: number;
  readonly company: Company;
  readonly others: OtherLayers;
  sleep: Sleep | undefined;
  plan: Plan | undefined;
  /** Of the stored plan, be it readable or not. */
  version: number;
  shapedAtMs: number | undefined;
  loads: Loads | undefined;
  attention: Attention | undefined;
  wanted: Wanted | undefined;
  podsKey: string;
  nextPlanMs: number;
  nextRecordMs: number;
  /** Since the last record. */
  readonly means: MeanLoads;
};

export class Authority {
  readonly #parts: AuthorityParts;
  readonly #settings: AuthoritySettings;
  readonly #looking: Signal;
  #term: Term | undefined;
  #leader = '';
  #pods: readonly PlanPod[] = [];
  #refused = '';
  #plans = 0;
  #decisions = 0;
  #planMs = 0;
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
    this.#settings = { ...AUTHORITY_SETTINGS, ...parts.settings };
    this.#looking = new Signal(parts.clock);
  }

  get status(): AuthorityStatus {
    const term = this.#term;
    return {
      isLeading: term !== undefined,
      leader: this.#leader,
      term: term?.number ?? 0,
      plan: term?.plan,
      pods: this.#pods,
      loads: term?.loads,
      attention: term?.attention,
      wanted: term?.wanted,
      refused: this.#refused,
      plans: this.#plans,
      decisions: this.#decisions,
      planMs: this.#planMs,
    };
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Ends, and leaves the lead to another at once. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#looking.wake();
    await this.#loop;
    if (this.#term !== undefined) await this.#parts.store.resign(this.#parts.name);
    this.#term = undefined;
  }

  async #run(): Promise<void> {
    const { log } = this.#parts;
    while (!this.#isStopped) {
      try {
        await this.#look();
      } catch (error) {
        // Nobody waits for a plan: whatever it was, the next look tries again.
        log.warn({ err: error }, 'no plan was made this time');
      }
      await this.#looking.wait(this.#settings.lookMs);
    }
  }

  async #look(): Promise<void> {
    const { store, name, log } = this.#parts;
    const reply = await store.lead(name, this.#settings.leadTtlMs);
    if (reply.tag === 'FOLLOWING') {
      this.#leader = reply.leader;
      this.#depose();
      return;
    }
    this.#leader = name;
    if (this.#term?.number !== reply.term) {
      log.info({ term: reply.term }, 'leads');
      this.#term = await this.#begin(reply.term);
    }
    await this.#lead(this.#term);
  }

  #depose(): void {
    if (this.#term === undefined) return;
    this.#term = undefined;
    this.#parts.log.info({ leader: this.#leader }, 'leads no more');
  }

  async #begin(number: number): Promise<Term> {
    const { store, others = [], grid } = this.#parts;
    return {
      ...{ number, company: new Company(store), others: new OtherLayers(others, grid.cells) },
      ...{ sleep: undefined, version: 0, ...NOTHING },
      ...{ podsKey: '', nextPlanMs: 0, nextRecordMs: store.nowMs() },
      means: new MeanLoads(),
      ...(await this.#stored()),
    };
  }

  /** The plan in force. One that nobody can read is replaced as if there were none. */
  async #stored(): Promise<{ plan: Plan | undefined; version: number }> {
    const { store, log } = this.#parts;
    try {
      const plan = await store.plan();
      return { plan, version: plan?.version ?? 0 };
    } catch (error) {
      if (!(error instanceof LeaseholdError)) throw error;
      log.error({ err: error }, 'the stored plan cannot be read: it is made anew');
      return { plan: undefined, version: 0 };
    }
  }

  async #lead(term: Term): Promise<void> {
    const { store } = this.#parts;
    const named = new Set(term.plan?.regions.flatMap(({ pod, standby }) => [pod, standby]));
    this.#pods = await term.company.look(named);
    const key = this.#pods.map(({ pod, state }) => `${pod} ${state}`).join();
    const nowMs = store.nowMs();
    if (key === term.podsKey && nowMs < term.nextPlanMs) return;
    term.podsKey = key;
    term.nextPlanMs = nowMs + this.#settings.planMs;
    const [reports, interests] = await Promise.all([
      store.loads(),
      store.interests(),
      term.others.look(nowMs),
    ]);
    const { cells } = this.#parts.grid;
    term.loads = gatherLoads({ reports, cells, nowMs, last: term.loads });
    for (const lie of term.loads.lies) this.#parts.log.warn(lie, 'a load that cannot be true');
    const all = [...interests.values(), ...term.others.interests];
    term.attention = gatherInterests(all, cells);
    await this.#plan(term, { loads: term.loads, attention: term.attention }, nowMs);
    this.#want(term, term.loads, nowMs);
    term.means.add(reports);
    if (nowMs >= term.nextRecordMs) await this.#record(term, nowMs);
  }

  async #plan(term: Term, { loads, attention }: Seen, nowMs: number): Promise<void> {
    const { store, home, name, policy, grid, clock, log, tickHz } = this.#parts;
    const before = term.plan;
    const asleep = await this.#asleep(term, { loads, attention }, nowMs);
    const startedMs = clock.nowMs();
    const { plan, decisions, refused } = makePlan(policy, {
      ...{ grid, loads, pods: this.#pods, previous: before, nowMs },
      ...{ shapedAtMs: term.shapedAtMs },
      settings: { tickBudgetMs: 1_000 / tickHz, ...this.#settings.plan },
    });
    this.#planMs = clock.nowMs() - startedMs;
    if (refused !== undefined && refused !== this.#refused) log.error({ refused }, 'plan refused');
    this.#refused = refused ?? '';
    const was = before?.asleep ?? [];
    const why = home === undefined ? attention : undefined;
    const slept = areSame(was, asleep) ? [] : sleepDecisions(was, asleep, why);
    const isShaped = plan !== before;
    if (!isShaped && (before === undefined || slept.length === 0)) return;
    const next = { ...plan, asleep, version: term.version + 1, atMs: Math.floor(nowMs) };
    const all = [...decisions, ...slept];
    const reply = await store.writePlan(name, next, all);
    if (reply.tag === 'OK') {
      term.plan = next;
      term.version = next.version;
      if (isShaped) term.shapedAtMs = next.atMs;
      this.#plans++;
      this.#decisions += all.length;
      for (const { kind, cause, regions } of all) log.info({ kind, regions }, cause);
    } else await this.#meet(term, reply);
  }

  /** Cells that nobody is to hold, in any layer: that of home says. */
  async #asleep(term: Term, seen: Seen, nowMs: number): Promise<Plan['asleep']> {
    const { home } = this.#parts;
    term.sleep ??= await this.#wakeful(term.plan, nowMs);
    if (home === undefined) {
      return term.sleep.look([seen.loads, ...term.others.loads], seen.attention, nowMs);
    }
    if (this.#settings.idleMs === 0) return [];
    // Before that one is planned nobody goes by this.
    return (await home.plan())?.asleep ?? term.sleep.asleep;
  }

  /** Without a plan: what nobody has ever written is held by nobody, not even once. */
  async #wakeful(plan: Plan | undefined, nowMs: number): Promise<Sleep> {
    const { grid, store } = this.#parts;
    const { idleMs, sleepsStill } = this.#settings;
    const isNew = plan === undefined && idleMs > 0;
    const asleep = isNew ? untouched(grid, await store.written()) : (plan?.asleep ?? []);
    return new Sleep(grid, { idleMs, sleepsStill }, asleep, nowMs);
  }

  async #meet(term: Term, reply: Exclude<WritePlanReply, { tag: 'OK' }>): Promise<void> {
    if (reply.tag === 'DEPOSED') {
      this.#leader = reply.leader;
      this.#depose();
      return;
    }
    // A failover has brought an older one back, or somebody else has led in between.
    Object.assign(term, await this.#stored(), { version: reply.version });
    term.nextPlanMs = 0;
  }

  #want(term: Term, loads: Loads, nowMs: number): void {
    const { podsMin: min, podsMax: max, plan } = this.#settings;
    const settings = { tickBudgetMs: 1_000 / this.#parts.tickHz, ...plan };
    const pods = this.#pods.filter(({ state }) => state !== 'draining').length;
    term.wanted = podsWanted({ ...{ loads, pods, nowMs, settings, min, max }, last: term.wanted });
  }

  async #record(term: Term, nowMs: number): Promise<void> {
    const { store, name } = this.#parts;
    term.nextRecordMs = nowMs + this.#settings.recordMs;
    const means = term.means.take();
    const pods = this.#pods.map(({ pod, state }) => ({
      pod,
      state: state === 'draining' ? ('draining' as const) : ('ready' as const),
      order: state === 'cordoned' ? ('cordon' as const) : ('' as const),
      cells: means.get(pod) ?? [],
    }));
    await store.recordLoads(name, { atMs: Math.floor(nowMs), pods });
  }
}

const NOTHING = {
  ...{ shapedAtMs: undefined, loads: undefined, attention: undefined, wanted: undefined },
};
