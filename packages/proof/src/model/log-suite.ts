/**
 * Goal: leases, fences and logs answer as the model does, whatever is lost, repeated or reordered.
 * Method: every call of the store on two cells, right ones and wrong ones; after each command the
 * heads are compared, and now and then everything that is stored.
 */
import type { LiveStore } from '@leasehold/live-store';
import { type Claim, type Commit, entryHash } from '@leasehold/protocol';
import { type Answer, CellModel } from './cell-model.ts';
import { expectAnswer, expectHead, expectImage, expectSame, type Kind } from './comparing.ts';
import { GRACE_MS, type Lane } from './lane.ts';
import type { Command, Suite, Tally } from './suite.ts';
import type { WireFault } from './wire.ts';

const CELLS = [0, 1] as const;
const PODS = ['pod-a', 'pod-b', 'pod-c'] as const;
const TERMS_MS = [400, 1_000, 5_000] as const;
const STEPS_MS = [-30_000, -5_000, -700, 100, 450, 600, 1_100, 5_600, 61_000] as const;

/** A call: what the model says of it, and how it is sent. Items of one call are answered apart. */
type Call = {
  readonly kind: Kind;
  readonly due: readonly (() => Answer)[];
  readonly send: () => Promise<readonly Answer[]>;
};

export const logSuite: Suite = {
  name: 'log',
  rules: ['L1', 'L2', 'L3', 'L4', 'L5', 'E1', 'M1'],
  cells: CELLS.length,
  isFollowing: false,
  ops: {
    ...{ acquire: 14, commit: 22, wrong: 8, again: 4, lost: 6, twice: 3, late: 3, deliver: 3 },
    ...{ reorder: 3, release: 3, handover: 3, revoke: 3, renew: 3, clock: 8, stall: 3 },
    ...{ replicate: 4, failover: 4, fault: 8, post: 6, read: 4 },
  },
  async play(lane, setup, commands, tally) {
    await lane.reset(setup % 2);
    const run = new LogRun(lane, tally);
    for (const command of commands) await run.do(command);
    await run.readAll();
  },
};

class LogRun {
  readonly #lane: Lane;
  readonly #tally: Tally;
  readonly #store: LiveStore;
  #models = CELLS.map((cell) => new CellModel(cell));
  #kept = this.#models.map((model) => model.clone());
  /** Every claim that was ever granted, also on a timeline that is lost. */
  readonly #claims: Claim[] = [];
  readonly #sent: Commit[] = [];
  #late: (() => Answer)[] = [];
  #nonces = 0;

  constructor(lane: Lane, tally: Tally) {
    this.#lane = lane;
    this.#tally = tally;
    this.#store = lane.store();
    lane.onKept = () => {
      this.#kept = this.#models.map((model) => model.clone());
    };
  }

  async do([op, a, b]: Command): Promise<void> {
    this.#tally.note(op, await this.#run(op, a, b));
  }

  async #run(op: string, a: number, b: number): Promise<boolean> {
    // Only a held cell can be committed, and a history is short.
    if (HOLDING.has(op) && this.#model(a).nonce === '') await this.#send(this.#acquireCall(a, 3));
    switch (op) {
      case 'lost':
      case 'twice':
        return this.#sendBadly(op, this.#commitCall(a, b - (b % 5)));
      case 'late':
        return this.#sendLate(this.#commitCall(a, b - (b % 5)));
      case 'deliver':
        return this.#deliver();
      case 'reorder':
        return this.#reorder(a, b);
      case 'clock':
        await this.#lane.step(STEPS_MS[a % STEPS_MS.length] as number);
        return true;
      case 'stall':
        return this.#stall(a, b);
      case 'replicate': {
        const isNews = this.#models.some(({ seq, nonce }, i) => {
          const kept = this.#kept[i] as CellModel;
          return kept.seq !== seq || kept.nonce !== nonce;
        });
        await this.#lane.keep();
        return isNews;
      }
      case 'failover':
        return this.#failOver();
      case 'fault':
        return this.#fault(a, b);
      case 'read':
        await this.readAll();
        return true;
      default: {
        const tags = await this.#send(this.#callOf(op, a, b));
        return op === 'wrong' ? !tags.includes('OK') : tags.some((tag) => EFFECTS.has(tag));
      }
    }
  }

  #callOf(op: string, a: number, b: number): Call {
    switch (op) {
      case 'acquire':
        return this.#acquireCall(a, b);
      case 'commit':
        return this.#commitCall(a, b - (b % 5));
      case 'wrong':
        return this.#commitCall(a, b - (b % 5) + 1 + (b % 4));
      case 'again':
        return this.#againCall(a, b);
      case 'post':
        return this.#postCall(a, b);
      default:
        return this.#leaseCall(op, a, b);
    }
  }

  // ---- sending ----

  /** Sends a call, and compares every answer and then every head. Returns the tags. */
  async #send(call: Call, isFaulty = false): Promise<string[]> {
    const [answers, heads] = await Promise.all([call.send(), this.#store.heads(CELLS)]);
    let mayRefuse = isFaulty;
    for (const [i, due] of call.due.entries()) {
      const got = answers[i] as Answer;
      if (got.tag === 'REFUSED' && mayRefuse) mayRefuse = false;
      else {
        const expected = due();
        this.#note(got);
        expectAnswer(call.kind, expected, got);
      }
    }
    for (const [i, model] of this.#models.entries()) expectHead(model, heads[i] as Answer);
    return answers.map(({ tag }) => tag);
  }

  #note(got: Answer): void {
    if (got.tag === 'GRANTED') this.#claims.push(got['claim'] as Claim);
  }

  /** L4: a call whose reply was lost, or that came twice, is made again and changes nothing more. */
  async #sendBadly(fault: WireFault, call: Call): Promise<boolean> {
    this.#lane.meddle(fault);
    if (fault === 'lost') await call.send();
    for (const due of call.due) due();
    const tags = await this.#send(call);
    return tags.includes('ALREADY');
  }

  async #sendLate(call: Call): Promise<boolean> {
    this.#lane.meddle('late');
    await call.send();
    this.#late.push(...call.due);
    return true;
  }

  async #deliver(): Promise<boolean> {
    const late = this.#late.splice(0);
    await this.#lane.deliverLate();
    for (const due of late) due();
    const heads = await this.#store.heads(CELLS);
    for (const [i, model] of this.#models.entries()) expectHead(model, heads[i] as Answer);
    return late.length > 0;
  }

  /** L3: of two commits that change places, the later is refused until the earlier is there. */
  async #reorder(a: number, b: number): Promise<boolean> {
    const first = this.#commitOf(a % CELLS.length, a, b - (b % 5));
    const second = follow(first, a);
    await this.#send(this.#commits([second]));
    const [tag] = await this.#send(this.#commits([first]));
    if (first.ending === undefined) await this.#send(this.#commits([second]));
    return tag === 'OK';
  }

  /** L5: after a pause of the server a rival comes first, and yet the holder goes on. */
  async #stall(a: number, b: number): Promise<boolean> {
    const model = this.#model(a);
    await this.#lane.step(model.ttl + 1 + (b % 2_000));
    const [tag] = await this.#send(this.#acquireCall(a, 3));
    await this.#send(b % 2 === 0 ? this.#commitCall(a, 0) : this.#leaseCall('renew', a, 1));
    // Who has shown that it lives has its two strikes again.
    await this.#lane.step(this.#model(a).ttl + GRACE_MS + 1);
    await this.#send(this.#acquireCall(a, 3));
    return tag === 'SUSPECT';
  }

  async #failOver(): Promise<boolean> {
    const isLoss = this.#models.some(({ seq }, i) => seq !== this.#kept[i]?.seq);
    await this.#lane.failOver();
    this.#models = this.#kept.map((model) => model.clone());
    const heads = await this.#store.heads(CELLS);
    for (const [i, model] of this.#models.entries()) expectHead(model, heads[i] as Answer);
    return isLoss;
  }

  /** L3: a call that Redis refuses at any moment has changed nothing. */
  async #fault(a: number, b: number): Promise<boolean> {
    const ops = ['commit', 'commit', 'commit', 'acquire', 'post', 'release', 'renew', 'revoke'];
    const call = this.#callOf(ops[a % ops.length] as string, b, a);
    await this.#lane.failNext(1 + (b % 11), b % CELLS.length);
    const tags = await this.#send(call, true);
    return tags.includes('REFUSED');
  }

  /** Everything that is stored is what was committed. */
  async readAll(): Promise<void> {
    const store = this.#store;
    const older = this.#models.map(({ cell, checkpoints }) => ({
      cell,
      beforeTick: (checkpoints[0]?.tick ?? 0) + 1,
    }));
    const [images, whole, ...channels] = await Promise.all([
      store.load(CELLS.map((cell) => ({ cell }))),
      store.load(older),
      ...CELLS.map((cell) => store.channel(cell, 0)),
    ]).catch((error: Error) => {
      throw expectSame('L3', 'a stored chain', error.message, 'whole');
    });
    for (const [i, model] of this.#models.entries()) {
      expectImage(model, images[i] as (typeof images)[number]);
      expectImage(model, whole[i] as (typeof whole)[number]);
      const sent = channels[i]?.map(({ seq, to, tick }) => ({ seq, to, tick }));
      expectSame('E1', `channel of cell ${i}`, sent, model.channel);
      const epochs = model.log.map(({ epoch }) => BigInt(epoch));
      const isRising = epochs.every((epoch, j) => epoch >= (epochs[j - 1] ?? 0n));
      expectSame('L2', 'epochs never fall', isRising, true);
    }
    await this.#readIndex();
  }

  /** The index is told with the tick, and an inbox keeps what nobody has consumed. */
  async #readIndex(): Promise<void> {
    for (const model of this.#models) {
      const indexed = await Promise.all(IDS.map((id) => this.#store.locate(id, [model.cell])));
      const found = IDS.filter((_, i) => (indexed[i]?.length ?? 0) > 0);
      expectSame('L3', `index of cell ${model.cell}`, new Set(found), model.geo);
      const { inbox } = this.#lane.keys.cell(model.cell);
      const [entries] = await this.#lane.raw([['XRANGE', inbox, '-', '+']]);
      const ids = (entries as [string, string[]][]).map(([, fields]) => fields[1]);
      expectSame('M1', `inbox of cell ${model.cell}`, ids, model.posts.slice(model.inbox));
    }
  }

  // ---- calls ----

  #model(a: number): CellModel {
    return this.#models[a % CELLS.length] as CellModel;
  }

  #acquireCall(a: number, b: number): Call {
    const model = this.#model(a);
    const { cell } = model;
    const pod = PODS[(a >> 1) % PODS.length] as string;
    const repeated = b % 10 === 0 ? model.nonce : b % 10 === 1 ? model.past : '';
    const nonce = repeated || `${pod}.n${++this.#nonces}`;
    const ttlMs = TERMS_MS[b % TERMS_MS.length] as number;
    const dead = b % 10 === 2 ? ['pod-x', model.nonce.split('.')[0] || 'pod-y'] : [];
    const asked = { nonce, ttlMs, graceMs: GRACE_MS, dead };
    return {
      kind: 'acquire',
      due: [() => this.#model(a).acquire(asked, this.#lane.nowMs)],
      send: () => this.#store.acquire([{ cell, nonce, ttlMs }], dead),
    };
  }

  #leaseCall(op: string, a: number, b: number): Call {
    const { cell, nonce, epoch } = this.#model(a);
    const held = { cell, nonce, epoch: String(epoch) };
    const isOther = nonce === '' || b % 4 === 0;
    const claim = isOther ? (this.#claimOf(cell, b) ?? held) : held;
    const now = (): number => this.#lane.nowMs;
    const store = this.#store;
    const heir = PODS[b % PODS.length] as string;
    switch (op) {
      case 'release':
        return this.#lease(
          'leave',
          () => this.#model(a).leave(claim, '', now()),
          () => store.release([claim]),
        );
      case 'handover':
        return this.#lease(
          'leave',
          () => this.#model(a).leave(claim, heir, now()),
          () => store.handover([claim], heir),
        );
      case 'revoke':
        return this.#lease(
          'revoke',
          () => this.#model(a).revoke(claim.nonce, now()),
          () => store.revoke([claim]),
        );
      default:
        return this.#lease(
          'renew',
          () => this.#model(a).renew(claim, 1_000, now()),
          () => store.renew([claim], 1_000),
        );
    }
  }

  #lease(kind: Kind, due: () => Answer, send: Call['send']): Call {
    return { kind, due: [due], send };
  }

  #postCall(a: number, b: number): Call {
    const { cell, posts } = this.#model(a);
    const id =
      b % 3 === 0 && posts.length > 0 ? (posts[b % posts.length] as string) : `p${++this.#nonces}`;
    return {
      kind: 'post',
      due: [() => this.#model(a).post(id)],
      send: () => this.#store.post([{ cell, id, body: Buffer.from(id) }]),
    };
  }

  #againCall(a: number, b: number): Call {
    const { hash } = this.#model(a);
    const last = b % 3 === 0 ? undefined : this.#sent.findLast((sent) => sent.hash === hash);
    const commit = last ?? this.#sent.at(-1 - (b % 4)) ?? this.#commitOf(0, a, 0);
    return this.#commits([commit]);
  }

  /** `wrong` (b mod 5): 0 none, else which check must refuse it. Often both cells in one call. */
  #commitCall(a: number, b: number): Call {
    const cell = a % CELLS.length;
    const commits = [this.#commitOf(cell, a, b)];
    if (a % 3 === 0) commits.push(this.#commitOf(1 - cell, a, 0));
    return this.#commits(commits);
  }

  #commits(commits: readonly Commit[]): Call {
    this.#sent.push(...commits);
    return {
      kind: 'commit',
      due: commits.map((commit) => () => {
        const model = this.#models[commit.claim.cell] as CellModel;
        return model.commit(commit, this.#lane.nowMs);
      }),
      send: () => this.#store.commit(commits),
    };
  }

  #claimOf(cell: number, n: number): Claim | undefined {
    const claims = this.#claims.filter((claim) => claim.cell === cell);
    return claims[n % claims.length];
  }

  #commitOf(cell: number, a: number, b: number): Commit {
    const model = this.#models[cell] as CellModel;
    const held = { cell, nonce: model.nonce, epoch: String(model.epoch) };
    const past = this.#claimOf(cell, a) ?? { cell, nonce: 'pod-z.none', epoch: '1' };
    const right = model.nonce === '' ? past : held;
    const wrong = b % 5;
    const twisted = [
      right,
      past,
      { ...right, nonce: 'pod-z.other' },
      { ...right, epoch: String(model.epoch - 1n < 0n ? 0n : model.epoch - 1n) },
      right,
    ];
    const claim = wrong === 0 || a % 3 === 0 ? (twisted[wrong] as Claim) : right;
    const isHeadOff = wrong > 0 && a % 3 === 1;
    const isCursorOff = wrong > 0 && !isHeadOff && (a % 3 === 2 || wrong === 4);
    const seq = model.seq + 1 + (isHeadOff && wrong === 1 ? 1 : 0);
    const prevHash = isHeadOff && wrong > 1 ? 'f00d' : model.hash;
    const off = isCursorOff ? 1 : 0;
    const part = (n: number): number => (isCursorOff && wrong === n ? off : 0);
    return commitWith(model, { claim, seq, prevHash, a, b, part });
  }
}

const HOLDING: ReadonlySet<string> = new Set(
  'commit again lost twice late reorder release handover renew revoke stall'.split(' '),
);
const EFFECTS: ReadonlySet<string> = new Set(['OK', 'GRANTED', 'ALREADY']);
const IDS = [1, 2, 3] as const;

type Wanted = {
  readonly claim: Claim;
  readonly seq: number;
  readonly prevHash: string;
  readonly a: number;
  readonly b: number;
  /** 1 where this commit is to be off: 1 a cursor, 2 the channel, 3 the inbox, 4 a trim. */
  readonly part: (n: number) => number;
};

function commitWith(model: CellModel, { claim, seq, prevHash, a, b, part }: Wanted): Commit {
  const tick = model.tick + 1 + (a % 2);
  const body = Buffer.from(`body ${a} ${b}`);
  const from = model.cursors.get(7) ?? 0;
  const cursors = [{ cell: 7, from: from + part(1), to: from + 1 + (a % 3) + part(1) }];
  const outs = Array.from({ length: (a >> 2) % 3 }, (_, i) => i + 1);
  const out = outs.map((i) => ({ seq: model.out + i + part(2), to: i, body }));
  const waiting = model.posts.length - model.inbox;
  const inboxFrom = model.inbox + part(3);
  const id = IDS[a % IDS.length] as number;
  const put = [{ id, longitude: 10, latitude: 20 }];
  const ending = b % 40 === 0 ? 'release' : b % 40 === 5 ? { heir: 'pod-b' } : undefined;
  const geo = a % 5 === 1 ? { put, drop: [] } : { put: [], drop: [id] };
  const inTheMiddle = model.channel[(a >> 3) % 2]?.seq;
  const trim = part(4) > 0 ? model.out + out.length + 1 : a % 7 === 0 ? inTheMiddle : undefined;
  return {
    ...{ claim, seq, prevHash, tick, body, out, idCounter: model.idCounter + 1 },
    hash: entryHash(prevHash, seq, claim.epoch, tick, body),
    ttlMs: TERMS_MS[a % TERMS_MS.length] as number,
    cursors: a % 2 === 0 || part(1) > 0 ? cursors : [],
    ...(waiting > 0 || part(3) > 0
      ? { inbox: { from: inboxFrom, to: model.inbox + 1 + (a % Math.max(1, waiting)) } }
      : {}),
    ...(trim === undefined ? {} : { outTrimTo: trim }),
    ...(a % 4 === 0 ? { checkpoint: Buffer.from(`state ${seq} ${a}`) } : {}),
    ...(a % 5 < 3 && a % 5 > 0 ? { geo } : {}),
    ...(ending === undefined ? {} : { ending }),
  };
}

/** The next commit of the same holder, made before the first was answered. */
function follow(first: Commit, a: number): Commit {
  const seq = first.seq + 1;
  const tick = first.tick + 1;
  const body = Buffer.from(`next ${a}`);
  const hash = entryHash(first.hash, seq, first.claim.epoch, tick, body);
  const { claim, ttlMs, idCounter } = first;
  return {
    ...{ claim, seq, prevHash: first.hash, hash, tick, body, ttlMs },
    ...{ idCounter: idCounter + 1, cursors: [], out: [] },
  };
}
