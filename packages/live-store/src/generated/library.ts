// Generated from db/lua by packages/tidy/src/generate.ts. Do not edit.
import type { LuaFunction } from '../lua-function.ts';

/**
 * Make blocks. Seeding does this, and nothing else: a block that is absent says that the world is.
 *
 * `db/lua/block_create.lua`
 */
export type BlockCreateCall = { readonly incarnation: string | number; };
export type BlockCreateItem = {
  readonly block: string;
};
export type BlockCreateReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'ALREADY' }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const blockCreate: LuaFunction<BlockCreateCall, BlockCreateItem, BlockCreateReply> = {
  name: 'block_create',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block'],
  eachOptionalKeys: [],
  eachArgs: [],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [],
    ALREADY: [],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Close blocks for ever: every call on their cells is refused from now on.
 *
 * `db/lua/block_seal.lua`
 */
export type BlockSealCall = { readonly incarnation: string | number; };
export type BlockSealItem = {
  readonly block: string;
};
export type BlockSealReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const blockSeal: LuaFunction<BlockSealCall, BlockSealItem, BlockSealReply> = {
  name: 'block_seal',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block'],
  eachOptionalKeys: [],
  eachArgs: [],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Append one tick to cells, under their leases, atomically with everything that must agree with it.
 *
 * Everything is checked before the first write, and the first write is the append itself: when
 * Redis is out of memory, replicas or disk, it refuses there, and nothing has happened.
 *
 * `db/lua/cell_commit.lua`
 */
export type CellCommitCall = { readonly incarnation: string | number; readonly logKeep: number; };
export type CellCommitItem = {
  readonly block: string;
  readonly meta: string;
  readonly log: string;
  readonly out?: string | undefined;
  readonly inbox?: string | undefined;
  readonly ckpt0?: string | undefined;
  readonly ckpt1?: string | undefined;
  readonly geo?: string | undefined;
  readonly nonce: string;
  readonly epoch: string;
  readonly seq: string | number;
  readonly prevHash: string;
  readonly hash: string;
  readonly tick: string | number;
  readonly idCounter: string | number;
  readonly ttlMs: string | number;
  readonly body: Uint8Array;
  readonly inboxFrom: number;
  readonly inboxTo: number;
  readonly inboxKeep: number;
  readonly outTrimTo: number;
  readonly ending: string;
  readonly heir: string;
  readonly checkpoint: Uint8Array;
  readonly cursors: readonly { readonly cell: number; readonly from: number; readonly to: number }[];
  readonly outs: readonly { readonly seq: number; readonly to: number; readonly body: Uint8Array }[];
  readonly geoPuts: readonly { readonly score: number; readonly id: string }[];
  readonly geoDrops: readonly (string)[];
};
export type CellCommitReply =
  | { readonly tag: 'OK'; readonly nowMs: number; readonly inboxLength: number }
  | { readonly tag: 'ALREADY' }
  | { readonly tag: 'FENCED'; readonly nonce: string; readonly epoch: string }
  | { readonly tag: 'HEAD'; readonly seq: number; readonly hash: string }
  | { readonly tag: 'BADCURSOR'; readonly message: string }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const cellCommit: LuaFunction<CellCommitCall, CellCommitItem, CellCommitReply> = {
  name: 'cell_commit',
  isReadOnly: false,
  args: ['incarnation', 'logKeep'],
  eachKeys: ['block', 'meta', 'log'],
  eachOptionalKeys: ['out', 'inbox', 'ckpt0', 'ckpt1', 'geo'],
  eachArgs: ['nonce', 'epoch', 'seq', 'prevHash', 'hash', 'tick', 'idCounter', 'ttlMs', 'body'],
  eachOptionalArgs: ['inboxFrom', 'inboxTo', 'inboxKeep', 'outTrimTo', 'ending', 'heir', 'checkpoint'],
  eachLists: [['cursors', ['cell', 'from', 'to']], ['outs', ['seq', 'to', 'body']], ['geoPuts', ['score', 'id']], ['geoDrops', ['id']]],
  replies: {
    OK: [['nowMs', 'integer'], ['inboxLength', 'integer']],
    ALREADY: [],
    FENCED: [['nonce', 'string'], ['epoch', 'string']],
    HEAD: [['seq', 'integer'], ['hash', 'string']],
    BADCURSOR: [['message', 'string']],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Write entry 1 of cells, when a world is seeded. A second seeder, or a repetition, changes
 * nothing.
 *
 * `db/lua/cell_create.lua`
 */
export type CellCreateCall = { readonly incarnation: string | number; };
export type CellCreateItem = {
  readonly block: string;
  readonly meta: string;
  readonly log: string;
  readonly hash: string;
  readonly idCounter: number;
  readonly body: Uint8Array;
};
export type CellCreateReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'ALREADY' }
  | { readonly tag: 'HEAD'; readonly seq: number; readonly hash: string }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const cellCreate: LuaFunction<CellCreateCall, CellCreateItem, CellCreateReply> = {
  name: 'cell_create',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta', 'log'],
  eachOptionalKeys: [],
  eachArgs: ['hash', 'idCounter', 'body'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [],
    ALREADY: [],
    HEAD: [['seq', 'integer'], ['hash', 'string']],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Tell where cells stand: lease, log, cursors, checkpoints.
 *
 * `db/lua/cell_heads.lua`
 */
export type CellHeadsCall = { readonly incarnation: string | number; };
export type CellHeadsItem = {
  readonly block: string;
  readonly meta: string;
  readonly cold: string;
  readonly place: number;
};
export type CellHeadsReply =
  | { readonly tag: 'HEAD'; readonly nowMs: number; readonly head: ReadonlyMap<string, string> }
  | { readonly tag: 'COLD'; readonly mark: number }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const cellHeads: LuaFunction<CellHeadsCall, CellHeadsItem, CellHeadsReply> = {
  name: 'cell_heads',
  isReadOnly: true,
  args: ['incarnation'],
  eachKeys: ['block', 'meta'],
  eachOptionalKeys: [],
  eachArgs: ['cold', 'place'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    HEAD: [['nowMs', 'integer'], ['head', 'map']],
    COLD: [['mark', 'integer']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Write cells as they were at a cut, when a world is restored: their checkpoint, an entry behind
 * it where one is needed to say who was leaving, and how far they have read what others sent.
 * Nobody holds them yet. A repetition changes nothing.
 *
 * `db/lua/cell_restore.lua`
 */
export type CellRestoreCall = { readonly incarnation: string | number; };
export type CellRestoreItem = {
  readonly block: string;
  readonly meta: string;
  readonly ckpt0: string;
  readonly log?: string | undefined;
  readonly seq: string | number;
  readonly hash: string;
  readonly tick: string | number;
  readonly idCounter: string | number;
  readonly asked: string | number;
  readonly outSeq: string | number;
  readonly checkpoint: Uint8Array;
  readonly lastHash: string;
  readonly lastTick: number;
  readonly lastBody: Uint8Array;
  readonly cursors: readonly { readonly cell: number; readonly seq: number }[];
};
export type CellRestoreReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'ALREADY' }
  | { readonly tag: 'HEAD'; readonly seq: number; readonly hash: string }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const cellRestore: LuaFunction<CellRestoreCall, CellRestoreItem, CellRestoreReply> = {
  name: 'cell_restore',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta', 'ckpt0'],
  eachOptionalKeys: ['log'],
  eachArgs: ['seq', 'hash', 'tick', 'idCounter', 'asked', 'outSeq', 'checkpoint'],
  eachOptionalArgs: ['lastHash', 'lastTick', 'lastBody'],
  eachLists: [['cursors', ['cell', 'seq']]],
  replies: {
    OK: [],
    ALREADY: [],
    HEAD: [['seq', 'integer'], ['hash', 'string']],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Drop cells that nobody holds and in which nothing waits. Whoever calls has put what they were, up
 * to this very head, where it lasts; what was never written is kept nowhere.
 *
 * `db/lua/cell_sleep.lua`
 */
export type CellSleepCall = { readonly incarnation: string | number; };
export type CellSleepItem = {
  readonly block: string;
  readonly meta: string;
  readonly log: string;
  readonly out: string;
  readonly inbox: string;
  readonly posted: string;
  readonly ckpt0: string;
  readonly ckpt1: string;
  readonly geo: string;
  readonly cold: string;
  readonly place: number;
  readonly seq: string | number;
  readonly hash: string;
  readonly epoch: string | number;
  readonly posts: string | number;
  readonly asked: string | number;
  readonly outRead: number;
  readonly mark: number;
};
export type CellSleepReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'COLD'; readonly mark: number }
  | { readonly tag: 'BUSY'; readonly why: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const cellSleep: LuaFunction<CellSleepCall, CellSleepItem, CellSleepReply> = {
  name: 'cell_sleep',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta', 'log', 'out', 'inbox', 'posted', 'ckpt0', 'ckpt1', 'geo'],
  eachOptionalKeys: [],
  eachArgs: ['cold', 'place', 'seq', 'hash', 'epoch', 'posts', 'asked', 'outRead', 'mark'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [],
    COLD: [['mark', 'integer']],
    BUSY: [['why', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Put cells back that have left Redis, as they were. Nobody holds them. A repetition changes
 * nothing.
 *
 * `db/lua/cell_wake.lua`
 */
export type CellWakeCall = { readonly incarnation: string | number; };
export type CellWakeItem = {
  readonly block: string;
  readonly meta: string;
  readonly posted: string;
  readonly ckpt0: string;
  readonly cold: string;
  readonly place: number;
  readonly seq: string | number;
  readonly hash: string;
  readonly tick: string | number;
  readonly mark: number;
  readonly checkpoint: Uint8Array;
  readonly heads: readonly { readonly name: string; readonly value: string }[];
  readonly ids: readonly { readonly name: string; readonly value: string }[];
};
export type CellWakeReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'ALREADY' }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const cellWake: LuaFunction<CellWakeCall, CellWakeItem, CellWakeReply> = {
  name: 'cell_wake',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta', 'posted', 'ckpt0'],
  eachOptionalKeys: [],
  eachArgs: ['cold', 'place', 'seq', 'hash', 'tick', 'mark', 'checkpoint'],
  eachOptionalArgs: [],
  eachLists: [['heads', ['name', 'value']], ['ids', ['name', 'value']]],
  replies: {
    OK: [],
    ALREADY: [],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Set ids of a cell aside for who asks from outside.
 *
 * They have an origin of their own, so they never meet those that the cell's holder gives out, and
 * need no lease.
 *
 * `db/lua/ids_reserve.lua`
 */
export type IdsReserveCall = { readonly incarnation: string | number; };
export type IdsReserveItem = {
  readonly block: string;
  readonly meta: string;
  readonly count: number;
  readonly cold: string;
  readonly place: number;
};
export type IdsReserveReply =
  | { readonly tag: 'OK'; readonly first: number }
  | { readonly tag: 'COLD'; readonly mark: number }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const idsReserve: LuaFunction<IdsReserveCall, IdsReserveItem, IdsReserveReply> = {
  name: 'ids_reserve',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta'],
  eachOptionalKeys: [],
  eachArgs: ['count', 'cold', 'place'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [['first', 'integer']],
    COLD: [['mark', 'integer']],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Ask cells to do something. A cell's inbox counts its own posts, without gaps.
 *
 * `db/lua/inbox_post.lua`
 */
export type InboxPostCall = { readonly incarnation: string | number; };
export type InboxPostItem = {
  readonly block: string;
  readonly meta: string;
  readonly inbox: string;
  readonly posted: string;
  readonly id: string;
  readonly body: Uint8Array;
  readonly cold: string;
  readonly place: number;
};
export type InboxPostReply =
  | { readonly tag: 'OK'; readonly seq: number; readonly nonce: string }
  | { readonly tag: 'FULL' }
  | { readonly tag: 'COLD'; readonly mark: number }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const inboxPost: LuaFunction<InboxPostCall, InboxPostItem, InboxPostReply> = {
  name: 'inbox_post',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta', 'inbox', 'posted'],
  eachOptionalKeys: [],
  eachArgs: ['id', 'body', 'cold', 'place'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [['seq', 'integer'], ['nonce', 'string']],
    FULL: [],
    COLD: [['mark', 'integer']],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Give the lead of a layer back, so that another need not wait for its end.
 *
 * `db/lua/leader_resign.lua`
 */
export type LeaderResignCall = { readonly incarnation: string | number; };
export type LeaderResignItem = {
  readonly leader: string;
  readonly name: string;
};
export type LeaderResignReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const leaderResign: LuaFunction<LeaderResignCall, LeaderResignItem, LeaderResignReply> = {
  name: 'leader_resign',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['leader'],
  eachOptionalKeys: [],
  eachArgs: ['name'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Take or keep the lead of a layer: who leads writes its plan.
 *
 * One strike is enough here: who loses the lead by a clock step loses no more than a plan that is
 * refused. A clock that was ahead keeps a lead for no longer than its own term, as with leases.
 *
 * `db/lua/leader_take.lua`
 */
export type LeaderTakeCall = { readonly incarnation: string | number; };
export type LeaderTakeItem = {
  readonly leader: string;
  readonly name: string;
  readonly ttlMs: number;
};
export type LeaderTakeReply =
  | { readonly tag: 'LEADING'; readonly term: number; readonly nowMs: number }
  | { readonly tag: 'FOLLOWING'; readonly leader: string; readonly retryInMs: number; readonly nowMs: number }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const leaderTake: LuaFunction<LeaderTakeCall, LeaderTakeItem, LeaderTakeReply> = {
  name: 'leader_take',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['leader'],
  eachOptionalKeys: [],
  eachArgs: ['name', 'ttlMs'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    LEADING: [['term', 'integer'], ['nowMs', 'integer']],
    FOLLOWING: [['leader', 'string'], ['retryInMs', 'integer'], ['nowMs', 'integer']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Take the lease of cells that are free, released to the caller, or expired for the second time.
 *
 * The clock is the server's, and it is not trusted either: a stalled server or a clock step makes
 * every lease look expired at once, so the first who finds one expired only marks it. The leases of
 * pods that the caller believes dead (`dead`: their names, each followed by a space) end here, as
 * by lease_revoke, whose duties the caller has (L5).
 *
 * `db/lua/lease_acquire.lua`
 */
export type LeaseAcquireCall = { readonly incarnation: string | number; readonly graceMs: number; readonly dead: string; };
export type LeaseAcquireItem = {
  readonly block: string;
  readonly meta: string;
  readonly nonce: string;
  readonly ttlMs: number;
  readonly cold: string;
  readonly place: number;
};
export type LeaseAcquireReply =
  | { readonly tag: 'GRANTED'; readonly epoch: string; readonly attempts: number; readonly cause: string; readonly from: string; readonly lastAtMs: number; readonly nowMs: number; readonly head: ReadonlyMap<string, string> }
  | { readonly tag: 'HELD'; readonly nonce: string; readonly deadlineMs: number; readonly nowMs: number }
  | { readonly tag: 'SUSPECT'; readonly nonce: string; readonly retryInMs: number; readonly nowMs: number }
  | { readonly tag: 'COLD'; readonly mark: number }
  | { readonly tag: 'RESERVED'; readonly heir: string; readonly retryInMs: number; readonly nowMs: number }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const leaseAcquire: LuaFunction<LeaseAcquireCall, LeaseAcquireItem, LeaseAcquireReply> = {
  name: 'lease_acquire',
  isReadOnly: false,
  args: ['incarnation', 'graceMs', 'dead'],
  eachKeys: ['block', 'meta'],
  eachOptionalKeys: [],
  eachArgs: ['nonce', 'ttlMs', 'cold', 'place'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    GRANTED: [['epoch', 'string'], ['attempts', 'integer'], ['cause', 'string'], ['from', 'string'], ['lastAtMs', 'integer'], ['nowMs', 'integer'], ['head', 'map']],
    HELD: [['nonce', 'string'], ['deadlineMs', 'integer'], ['nowMs', 'integer']],
    SUSPECT: [['nonce', 'string'], ['retryInMs', 'integer'], ['nowMs', 'integer']],
    COLD: [['mark', 'integer']],
    RESERVED: [['heir', 'string'], ['retryInMs', 'integer'], ['nowMs', 'integer']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Give cells to a pod that already follows their logs. For a moment nobody else may take them.
 *
 * `db/lua/lease_handover.lua`
 */
export type LeaseHandoverCall = { readonly incarnation: string | number; readonly heir: string; };
export type LeaseHandoverItem = {
  readonly block: string;
  readonly meta: string;
  readonly nonce: string;
  readonly epoch: string | number;
};
export type LeaseHandoverReply =
  | { readonly tag: 'OK'; readonly nowMs: number }
  | { readonly tag: 'FENCED'; readonly nonce: string; readonly epoch: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const leaseHandover: LuaFunction<LeaseHandoverCall, LeaseHandoverItem, LeaseHandoverReply> = {
  name: 'lease_handover',
  isReadOnly: false,
  args: ['incarnation', 'heir'],
  eachKeys: ['block', 'meta'],
  eachOptionalKeys: [],
  eachArgs: ['nonce', 'epoch'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [['nowMs', 'integer']],
    FENCED: [['nonce', 'string'], ['epoch', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Give cells back, for anyone to take.
 *
 * `db/lua/lease_release.lua`
 */
export type LeaseReleaseCall = { readonly incarnation: string | number; };
export type LeaseReleaseItem = {
  readonly block: string;
  readonly meta: string;
  readonly nonce: string;
  readonly epoch: string | number;
};
export type LeaseReleaseReply =
  | { readonly tag: 'OK'; readonly nowMs: number }
  | { readonly tag: 'FENCED'; readonly nonce: string; readonly epoch: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const leaseRelease: LuaFunction<LeaseReleaseCall, LeaseReleaseItem, LeaseReleaseReply> = {
  name: 'lease_release',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta'],
  eachOptionalKeys: [],
  eachArgs: ['nonce', 'epoch'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [['nowMs', 'integer']],
    FENCED: [['nonce', 'string'], ['epoch', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Extend the leases of quiet cells. A commit extends too, so busy cells never come here.
 *
 * An expired lease that nobody took is still its holder's: the renewal clears the first strike.
 *
 * `db/lua/lease_renew.lua`
 */
export type LeaseRenewCall = { readonly incarnation: string | number; readonly ttlMs: number; };
export type LeaseRenewItem = {
  readonly block: string;
  readonly meta: string;
  readonly nonce: string;
  readonly epoch: string | number;
};
export type LeaseRenewReply =
  | { readonly tag: 'OK'; readonly nowMs: number }
  | { readonly tag: 'FENCED'; readonly nonce: string; readonly epoch: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const leaseRenew: LuaFunction<LeaseRenewCall, LeaseRenewItem, LeaseRenewReply> = {
  name: 'lease_renew',
  isReadOnly: false,
  args: ['incarnation', 'ttlMs'],
  eachKeys: ['block', 'meta'],
  eachOptionalKeys: [],
  eachArgs: ['nonce', 'epoch'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [['nowMs', 'integer']],
    FENCED: [['nonce', 'string'], ['epoch', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * End somebody's lease, named by its nonce, because its holder is believed dead. Being wrong costs
 * one handover: the store fences the loser.
 *
 * `db/lua/lease_revoke.lua`
 */
export type LeaseRevokeCall = { readonly incarnation: string | number; };
export type LeaseRevokeItem = {
  readonly block: string;
  readonly meta: string;
  readonly nonce: string;
};
export type LeaseRevokeReply =
  | { readonly tag: 'OK'; readonly nowMs: number }
  | { readonly tag: 'FENCED'; readonly nonce: string; readonly epoch: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const leaseRevoke: LuaFunction<LeaseRevokeCall, LeaseRevokeItem, LeaseRevokeReply> = {
  name: 'lease_revoke',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta'],
  eachOptionalKeys: [],
  eachArgs: ['nonce'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [['nowMs', 'integer']],
    FENCED: [['nonce', 'string'], ['epoch', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Keep letters that found nobody. The oldest go when there are too many.
 *
 * `db/lua/letter_add.lua`
 */
export type LetterAddCall = { readonly incarnation: string | number; };
export type LetterAddItem = {
  readonly letters: string;
  readonly order: string;
  readonly added: readonly { readonly id: string; readonly atMs: number; readonly json: Uint8Array }[];
};
export type LetterAddReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const letterAdd: LuaFunction<LetterAddCall, LetterAddItem, LetterAddReply> = {
  name: 'letter_add',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['letters', 'order'],
  eachOptionalKeys: [],
  eachArgs: [],
  eachOptionalArgs: [],
  eachLists: [['added', ['id', 'atMs', 'json']]],
  replies: {
    OK: [],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Remove letters that somebody has dealt with.
 *
 * `db/lua/letter_drop.lua`
 */
export type LetterDropCall = { readonly incarnation: string | number; };
export type LetterDropItem = {
  readonly letters: string;
  readonly order: string;
  readonly ids: readonly (string)[];
};
export type LetterDropReply =
  | { readonly tag: 'OK'; readonly dropped: number }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const letterDrop: LuaFunction<LetterDropCall, LetterDropItem, LetterDropReply> = {
  name: 'letter_drop',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['letters', 'order'],
  eachOptionalKeys: [],
  eachArgs: [],
  eachOptionalArgs: [],
  eachLists: [['ids', ['id']]],
  replies: {
    OK: [['dropped', 'integer']],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Write what was on its way from cells at a cut, when a world is restored. Entries that are there
 * already stay as they are, so a repetition changes nothing.
 *
 * `db/lua/out_restore.lua`
 */
export type OutRestoreCall = { readonly incarnation: string | number; };
export type OutRestoreItem = {
  readonly block: string;
  readonly meta: string;
  readonly out: string;
  readonly outs: readonly { readonly seq: number; readonly to: number; readonly tick: number; readonly body: Uint8Array }[];
};
export type OutRestoreReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const outRestore: LuaFunction<OutRestoreCall, OutRestoreItem, OutRestoreReply> = {
  name: 'out_restore',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['block', 'meta', 'out'],
  eachOptionalKeys: [],
  eachArgs: [],
  eachOptionalArgs: [],
  eachLists: [['outs', ['seq', 'to', 'tick', 'body']]],
  replies: {
    OK: [],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Write a layer's plan and why it changed, and tell the pods: all of it, or nothing.
 *
 * `mark` is a hash of the body: readers compare it, because after a failover a version may come
 * again with another content.
 *
 * `db/lua/plan_write.lua`
 */
export type PlanWriteCall = { readonly incarnation: string | number; };
export type PlanWriteItem = {
  readonly leader: string;
  readonly plan: string;
  readonly journal: string;
  readonly name: string;
  readonly term: number;
  readonly version: number;
  readonly mark: string;
  readonly channel: string;
  readonly body: Uint8Array;
  readonly decisions: readonly (Uint8Array)[];
};
export type PlanWriteReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'DEPOSED'; readonly leader: string }
  | { readonly tag: 'BEHIND'; readonly version: number }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const planWrite: LuaFunction<PlanWriteCall, PlanWriteItem, PlanWriteReply> = {
  name: 'plan_write',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['leader', 'plan', 'journal'],
  eachOptionalKeys: [],
  eachArgs: ['name', 'term', 'version', 'mark', 'channel', 'body'],
  eachOptionalArgs: [],
  eachLists: [['decisions', ['json']]],
  replies: {
    OK: [],
    DEPOSED: [['leader', 'string']],
    BEHIND: [['version', 'integer']],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Keep what the leader saw of all loads, for an hour.
 *
 * `db/lua/sample_write.lua`
 */
export type SampleWriteCall = { readonly incarnation: string | number; };
export type SampleWriteItem = {
  readonly leader: string;
  readonly samples: string;
  readonly name: string;
  readonly term: number;
  readonly body: Uint8Array;
};
export type SampleWriteReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'DEPOSED'; readonly leader: string }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const sampleWrite: LuaFunction<SampleWriteCall, SampleWriteItem, SampleWriteReply> = {
  name: 'sample_write',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['leader', 'samples'],
  eachOptionalKeys: [],
  eachArgs: ['name', 'term', 'body'],
  eachOptionalArgs: [],
  eachLists: [],
  replies: {
    OK: [],
    DEPOSED: [['leader', 'string']],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/**
 * Note in which cells entities were seen. A hint: it may be lost, and is rebuilt from state.
 *
 * `db/lua/whereabouts_note.lua`
 */
export type WhereaboutsNoteCall = { readonly incarnation: string | number; };
export type WhereaboutsNoteItem = {
  readonly dir: string;
  readonly died: string;
  readonly notes: readonly { readonly id: string | number; readonly place: number; readonly tick: number }[];
};
export type WhereaboutsNoteReply =
  | { readonly tag: 'OK' }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'BROKEN'; readonly message: string };
export const whereaboutsNote: LuaFunction<WhereaboutsNoteCall, WhereaboutsNoteItem, WhereaboutsNoteReply> = {
  name: 'whereabouts_note',
  isReadOnly: false,
  args: ['incarnation'],
  eachKeys: ['dir', 'died'],
  eachOptionalKeys: [],
  eachArgs: [],
  eachOptionalArgs: [],
  eachLists: [['notes', ['id', 'place', 'tick']]],
  replies: {
    OK: [],
    TOOBIG: [['message', 'string']],
    NOWORLD: [],
    SEALED: [],
    BADARG: [['message', 'string']],
    REFUSED: [['message', 'string']],
    BROKEN: [['message', 'string']],
  },
};

/** The library of functions; `@library@` stands for its name. */
export const LIBRARY_TEMPLATE = `#!lua name=@library@

-- lib/limits
-- The limits of one call. Those that clients must know are the constants of the same names in
-- packages/protocol/src/store.ts; a test compares them.

local CELLS_PER_CALL_MAX = 16
local BYTES_PER_CALL_MAX = 512 * 1024
local BYTES_PER_CELL_MAX = 1024 * 1024
-- Lease, head and a cursor for each source that it ever read.
local HEAD_FIELDS_MAX = 1024
-- Two for each of the ids that are remembered.
local POSTED_FIELDS_MAX = 2048
-- 256 index updates cost about 0.3 ms, and 768 arguments stay far below what unpack can carry.
local GEO_PER_COMMIT_MAX = 256
local OUT_PER_COMMIT_MAX = 256
-- A cell consumes from its eight neighbours in every tick; the rest is for events from afar.
local CURSORS_PER_COMMIT_MAX = 256
-- A lease that lives longer than a minute would keep the cells of a dead pod for as long.
local LEASE_TTL_MS_MAX = 60 * 1000
local GRACE_MS_MAX = 60 * 1000
-- How long a handover keeps the cell for its heir, who follows the log and needs one round trip.
local HANDOVER_MS = 1000
-- What waits in one inbox. At the limit the answer is FULL; nothing unread is ever dropped.
local INBOX_ENTRIES_MAX = 10000
local INBOX_BYTES_MAX = 2 * 1024 * 1024
local POST_BYTES_MAX = 64 * 1024
-- Ids of posts that are remembered, so that a repetition is recognised after it was consumed.
local POST_IDS_MAX = 1024
-- 126 names of pods; who finds more of them dead at once takes the rest in its next call.
local DEAD_BYTES_MAX = 8192
local NONCE_BYTES_MAX = 128
local HASH_BYTES_MAX = 32
-- Beyond 1e14 Lua 5.1 writes a number as 1e+14, which is no stream id.
local INTEGER_MAX = 99999999999999
local SEQ_DIGITS_MAX = 14
-- An authority that hangs holds up planning for no longer than a pod that hangs does its cells.
local LEAD_TTL_MS_MAX = 60 * 1000
-- 10,000 regions of one cell, each with four edges.
local PLAN_BYTES_MAX = 4 * 1024 * 1024
-- A world whose pods all changed at once: a hundred pods, some decisions each.
local DECISIONS_PER_PLAN_MAX = 1000
-- Days of a quiet world, minutes of one that is rebuilt all the time; 400 bytes each.
local JOURNAL_ENTRIES_MAX = 10000
-- One in ten seconds for an hour, and as many again.
local SAMPLES_MAX = 720
local SAMPLES_KEPT_MS = 3600 * 1000
-- A bulk job asks for a chunk at a time; a cell has 2^32 of them.
local IDS_PER_CALL_MAX = 100000
local ID_COUNTER_MAX = 4294967295
-- Three arguments each, as many as unpack is given elsewhere.
local NOTES_PER_CALL_MAX = 256
-- Of each of 64 slots; a note is late by some ticks, not by 65,536 deaths.
local DEATHS_NOTED_MAX = 1024
local LETTERS_PER_CALL_MAX = 64
local DEAD_LETTERS_MAX = 10000
-- 3 KB each if there are as many as there may be; the largest has 64 KB.
local LETTER_BYTES_MAX = 32 * 1024 * 1024

-- lib/decimal
-- Whole numbers of any size as text without leading zeros: epochs are microseconds, beyond 1e14.

local function is_decimal(text)
  return #text <= 20 and (text == '0' or string.find(text, '^[1-9]%d*$') ~= nil)
end

local function decimal_below(a, b)
  if #a ~= #b then
    return #a < #b
  end
  return a < b
end

-- Adds one. At most one step per digit.
local function decimal_next(text)
  local nines = #string.match(text, '9*$')
  local zeros = string.rep('0', nines)
  local kept = string.sub(text, 1, #text - nines)
  if kept == '' then
    return '1' .. zeros
  end
  return string.sub(kept, 1, -2) .. (tonumber(string.sub(kept, -1)) + 1) .. zeros
end

-- lib/call
-- What every function shares: the state of one call, its arguments, and the answer to a fault.

local BYTES_LIMIT_MESSAGE = 'a call carries at most 524288 bytes, one cell alone twice as many'

-- One reading of the clock per call: TIME moves while a script runs.
local function open_call(incarnation)
  local time = redis.call('TIME')
  local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  return {
    incarnation = incarnation,
    now_ms = now_ms,
    now_text = string.format('%.0f', now_ms),
    deadlines = {},
    now_us = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2])),
    blocks = {},
    bytes = 0,
    wrote = false,
  }
end

local function is_integer(n)
  return n ~= nil and n >= 0 and n <= INTEGER_MAX and n % 1 == 0
end

local NOTHING = {}

-- Reads the list behind \`at\`: the number of rows, then the rows, into one flat table that nobody
-- changes. Types of the columns: i integer, d decimal text, n text of a number, s text or bytes.
-- Returns the table, the number of rows, the last position read, and the refusal if something is
-- wrong. PERF: column by column, and the text of a number stays as it came: what is only passed on
-- costs a fifth of what a search by pattern for each would.
local function take_list(args, at, stop, types, max)
  local rows, width = tonumber(args[at + 1]), #types
  if not is_integer(rows) or at + 1 + rows * width > stop then
    return NOTHING, 0, at + 1, { 'BADARG', 'a list is cut short' }
  end
  if rows > max then
    return NOTHING, 0, at + 1, { 'TOOBIG', 'a list has more than ' .. max .. ' rows' }
  end
  local last = at + 1 + rows * width
  local list, fault = { unpack(args, at + 2, last) }, nil
  for column = 1, width do
    local kind = string.sub(types, column, column)
    if kind == 'i' then
      for i = column, rows * width, width do
        local value = tonumber(list[i])
        list[i] = value
        fault = fault or (not is_integer(value) and 'a list: not a whole number')
      end
    elseif kind == 'd' then
      for i = column, rows * width, width do
        fault = fault or (not is_decimal(list[i]) and 'a list: not a decimal number')
      end
    elseif kind == 'n' then
      for i = column, rows * width, width do
        local value = tonumber(list[i])
        fault = fault or (not (value and value >= 0) and 'a list: not a number from 0 on')
      end
    end
  end
  return list, rows, last, fault and { 'BADARG', fault } or nil
end

-- The answer when a command failed. Before the first write nothing has happened, and the caller
-- may act on that; after it the cell needs a person.
local function failure(call, err)
  local message = type(err) == 'table' and err.err or tostring(err)
  return { call.wrote and 'BROKEN' or 'REFUSED', message }
end

-- lib/block
-- The gate of every call on a cell: is this world, in this incarnation, here and open?

local NOWORLD = { 'NOWORLD' }
local SEALED = { 'SEALED' }

-- Returns the refusal, or false. PERF: the block is read once per call, not once per cell.
local function block_refusal(call, block)
  local known = call.blocks[block]
  if known == nil then
    local state = redis.call('HMGET', block, 'incarnation', 'sealed')
    known = (state[1] ~= call.incarnation and NOWORLD) or (state[2] == '1' and SEALED) or false
    call.blocks[block] = known
  end
  return known
end

-- lib/entry
-- What a log entry says of itself, beside its body.

-- A hash stands between spaces.
local function is_hash(text)
  return text ~= '' and #text <= HASH_BYTES_MAX and not string.find(text, ' ', 1, true)
end

-- Format version, epoch, hash of the entry before, own hash, tick; a space between two.
-- PERF: one field, not five: 1 us less of the 32 us that a commit of 4 KB takes, and four strings
-- instead of twelve for every reader to parse.
local function entry_header(epoch, prev_hash, hash, tick)
  return '1 ' .. epoch .. ' ' .. prev_hash .. ' ' .. hash .. ' ' .. tick
end

-- lib/lease
-- What the lease functions and the commit agree on.

local function is_nonce(text)
  return #text <= NONCE_BYTES_MAX and string.find(text, '^[%w_-]+%.[%w_-]+$') ~= nil
end

local function is_pod(text)
  return #text <= 64 and string.find(text, '^[%w_-]+$') ~= nil
end

-- A nonce is \`<pod>.<random>\`.
local function pod_of(nonce)
  return string.match(nonce, '^[^.]*') or ''
end

local function fenced(nonce, epoch)
  return { 'FENCED', nonce or '', epoch or '0' }
end

-- Appends to \`fields\` what ends the lease of \`nonce\`. \`past\` remembers the nonce, so that repeating
-- the call that ended it, or the acquisition it came from, is recognised.
local function end_lease(fields, call, nonce, cause, heir)
  local n = #fields
  fields[n + 1], fields[n + 2] = 'nonce', ''
  fields[n + 3], fields[n + 4] = 'deadline', 0
  fields[n + 5], fields[n + 6] = 'suspect', 0
  fields[n + 7], fields[n + 8] = 'past', nonce
  fields[n + 9], fields[n + 10] = 'cause', cause
  fields[n + 11], fields[n + 12] = 'from', pod_of(nonce)
  fields[n + 13], fields[n + 14] = 'heir', heir
  fields[n + 15], fields[n + 16] = 'until', heir == '' and 0 or call.now_ms + HANDOVER_MS
end

-- A holder that gives a cell back has not failed at it: its acquisition is not counted.
local function forgive(fields, attempts)
  local counted = tonumber(attempts or '0') or 0
  if counted > 0 then
    fields[#fields + 1] = 'attempts'
    fields[#fields + 1] = counted - 1
  end
end

-- The deadline of a lease that begins or goes on now, as text, or nil if the term is out of range.
-- PERF: a call carries one term for all its cells; writing a number as text costs 0.5 us.
local function deadline_of(call, ttl_ms)
  local known = call.deadlines[ttl_ms]
  if known == nil then
    local term = tonumber(ttl_ms)
    known = term >= 1 and term <= LEASE_TTL_MS_MAX and string.format('%.0f', call.now_ms + term)
    call.deadlines[ttl_ms] = known
  end
  return known
end

-- Makes what every commit reads, in the order in which it reads, where it is not there yet.
-- PERF: a small hash is a list that is searched from its beginning; a field that is missing costs a
-- search of all of it.
local function open_meta(meta)
  local names = { 'nonce', 'epoch', 'seq', 'hash', 'tick', 'ids', 'last', 'deadline', 'suspect',
    'attempts', 'ttl', 'out', 'inbox', 'posts' }
  for i = 1, #names do
    local is_text = i == 1 or i == 4
    redis.call('HSETNX', meta, names[i], is_text and '' or '0')
  end
end

-- lib/commit
-- The checks of a commit, one subject each. None of them writes.

local function commit_fault(nonce, seq, hash, deadline, ending, heir)
  if nonce == '' then
    return 'nonce: empty'
  end
  if seq == '0' or #seq > SEQ_DIGITS_MAX then
    return 'seq: not within 1 and 99999999999999'
  end
  if not is_hash(hash) then
    return 'hash: empty, too long or with a space'
  end
  if not deadline then
    return 'ttl_ms: not within 1 and 60000'
  end
  if ending == '' or ending == 'release' then
    return nil
  end
  if ending ~= 'handover' then
    return 'ending: not release or handover'
  end
  if not is_pod(heir) then
    return 'heir: not the name of a pod'
  end
  return nil
end

local function outs_bytes(outs, count)
  local bytes = 0
  for i = 3, count * 3, 3 do
    bytes = bytes + #outs[i]
  end
  return bytes
end

-- Returns the fields that move the channel cursors, or what does not fit.
local function moved_cursors(meta, cursors, count)
  local fields = {}
  if count == 0 then
    return fields
  end
  local names = {}
  for i = 1, count do
    names[i] = 'in:' .. cursors[i * 3 - 2]
  end
  local at = redis.call('HMGET', meta, unpack(names))
  local seen = {}
  for i = 1, count do
    local from, to, name = cursors[i * 3 - 1], cursors[i * 3], names[i]
    if tonumber(at[i] or '0') ~= from then
      return fields, name .. ': the store is at ' .. (at[i] or '0')
    end
    if to <= from then
      return fields, name .. ': does not move forward'
    end
    if seen[name] then
      return fields, name .. ': given twice'
    end
    seen[name] = true
    fields[i * 2 - 1], fields[i * 2] = name, to
  end
  return fields
end

-- Channel entries continue where the channel ends. What lies beyond its end would stop an append
-- halfway, so it is looked for here.
local function out_fault(out, outs, count, out_seq)
  if count > 0 then
    for i = 1, count do
      if outs[i * 3 - 2] ~= out_seq + i then
        return 'out: the channel is at ' .. string.format('%.0f', out_seq)
      end
    end
  end
  if out then
    local beyond = redis.call('XRANGE', out, (out_seq + 1) .. '-0', '+', 'COUNT', 1)
    if beyond[1] then
      return 'out: the stream is ahead of the channel'
    end
  end
  return nil
end

-- Returns the bytes consumed since the inbox began, or nil and what does not fit.
local function inbox_freed(inbox, at, from, to, posts)
  if at ~= from then
    return nil, 'inbox: the store is at ' .. string.format('%.0f', at)
  end
  if to < from or to > posts then
    return nil, 'inbox: ' .. string.format('%.0f', to) .. ' was never posted'
  end
  local entry = redis.call('XRANGE', inbox, to .. '-0', to .. '-0')[1]
  if not entry then
    return nil, 'inbox: the entry consumed last is missing'
  end
  return tonumber(entry[2][4])
end

-- The slot that the next checkpoint goes to, and the log position of the one that is then older.
local function older_slot(meta)
  local slots = redis.call('HMGET', meta, 'c0', 'c1')
  local seq0 = tonumber(string.match(slots[1] or '', '^%d+') or '0')
  local seq1 = tonumber(string.match(slots[2] or '', '^%d+') or '0')
  if seq0 <= seq1 then
    return 0, seq1
  end
  return 1, seq0
end

-- Adds one or two fields and their values.
local function append(fields, name, value, second_name, second_value)
  local n = #fields
  fields[n + 1], fields[n + 2] = name, value
  fields[n + 3], fields[n + 4] = second_name, second_value
end

-- lib/cold
-- Cells that have left Redis. Of each its block keeps four bytes, by layer and by its place in the
-- block: of which state it was, so that no other one is ever put back. 0 = it has not left.

local COLD_MARK_BYTES = 4
local COLD_MARK_MAX = 4294967295

local function cold_mark(block, field, place)
  local marks = redis.call('HGET', block, field)
  local at = place * COLD_MARK_BYTES
  if not marks or #marks < at + COLD_MARK_BYTES then
    return 0
  end
  local a, b, c, d = string.byte(marks, at + 1, at + COLD_MARK_BYTES)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function set_cold_mark(block, field, place, mark)
  local marks = redis.call('HGET', block, field) or ''
  local at = place * COLD_MARK_BYTES
  if #marks < at then
    marks = marks .. string.rep('\\0', at - #marks)
  end
  marks = string.sub(marks, 1, at) .. struct.pack('>I4', mark) ..
    string.sub(marks, at + COLD_MARK_BYTES + 1)
  marks = string.match(marks, '^(.-)%z*$')
  -- Whole marks: one may end with a zero of its own.
  marks = marks .. string.rep('\\0', -#marks % COLD_MARK_BYTES)
  if marks == '' then
    redis.call('HDEL', block, field)
  else
    redis.call('HSET', block, field, marks)
  end
end

-- lib/leader
-- Who leads a layer: at most one at a time, by the clock of the server.

local function is_leader(text)
  return #text <= 64 and string.find(text, '^[%w_-]+$') ~= nil
end

-- How long the lead goes on: no longer than its own term, wherever the clock has gone meanwhile.
local function lead_left_ms(call, deadline, ttl)
  return math.min(tonumber(deadline or '0') - call.now_ms, tonumber(ttl or '0'))
end

-- Returns the refusal of who does not lead in this term, or false.
local function lead_refusal(call, leader, name, term)
  local lead = redis.call('HMGET', leader, 'name', 'term', 'deadline', 'ttl')
  local holder = lead[1] or ''
  if holder == '' or lead_left_ms(call, lead[3], lead[4]) <= 0 then
    return { 'DEPOSED', '' }
  end
  if holder ~= name or tonumber(lead[2]) ~= term then
    return { 'DEPOSED', holder }
  end
  return false
end

-- block_create
local function block_create(call, block)
  local was = redis.call('HMGET', block, 'incarnation', 'sealed')
  if was[1] == call.incarnation then
    -- L4: a block that exists is left as it is, sealed or not.
    return { was[2] == '1' and 'SEALED' or 'ALREADY' }
  end
  if was[1] then
    return { 'NOWORLD' }
  end
  redis.call('HSET', block, 'incarnation', call.incarnation)
  return { 'OK' }
end

local function call_block_create(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block = keys[k + 1]
    k = k + 1
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 1 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local at, stop = a + 2, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(block_create, call, block)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_block_create', callback = call_block_create
})

-- block_seal
local function block_seal(call, block)
  local was = redis.call('HMGET', block, 'incarnation', 'sealed')
  if was[1] ~= call.incarnation then
    return { 'NOWORLD' }
  end
  if was[2] ~= '1' then
    redis.call('HSET', block, 'sealed', 1)
  end
  return { 'OK' }
end

local function call_block_seal(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block = keys[k + 1]
    k = k + 1
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 1 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local at, stop = a + 2, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(block_seal, call, block)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_block_seal', callback = call_block_seal
})

-- cell_commit
local function cell_commit(call, log_keep, block, meta, log, out, inbox, ckpt0, ckpt1, geo, nonce, epoch, seq, prev_hash, hash, tick, id_counter, ttl_ms, body, inbox_from, inbox_to, inbox_keep, out_trim_to, ending, heir, checkpoint, cursors, cursors_count, outs, outs_count, geo_puts, geo_puts_count, geo_drops, geo_drops_count)
  -- 1. The arguments are complete and within limits.
  -- PERF: what is only passed on stays text; each number written as text would cost 0.5 us.
  local deadline = deadline_of(call, ttl_ms)
  local fault = commit_fault(nonce, seq, hash, deadline, ending, heir)
    or (geo_puts_count + geo_drops_count > 0 and not geo and 'geo: its key is missing')
    or (checkpoint ~= '' and not (ckpt0 and ckpt1) and 'checkpoint: its keys are missing')
    or (inbox_to ~= inbox_from and not inbox and 'inbox: its key is missing')
    or ((outs_count > 0 or out_trim_to > 0) and not out and 'out: its key is missing')
  if fault then
    return { 'BADARG', fault }
  end
  local bytes = #body + #checkpoint + outs_bytes(outs, outs_count)
  call.bytes = call.bytes + bytes
  if bytes > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
    return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
  end
  if geo_puts_count + geo_drops_count > GEO_PER_COMMIT_MAX then
    return { 'TOOBIG', 'a commit moves at most 256 entities in the index' }
  end

  -- 2. The world is here, in this incarnation, and open.
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'seq', 'hash', 'suspect', 'attempts', 'ttl',
    'out', 'inbox', 'posts')

  -- 3. L1: nonce and epoch are the lease's at this instant. An expired lease that nobody took is
  -- still its holder's.
  if was[1] ~= nonce or was[2] ~= epoch then
    return fenced(was[1], was[2])
  end

  -- 4. L4: this very commit was applied before, and its reply was lost. It extends nothing.
  local head_seq, head_hash = was[3] or '0', was[4] or ''
  if head_seq == seq and head_hash == hash then
    return { 'ALREADY' }
  end

  -- 5. L3: the commit extends the head that the store has.
  if tonumber(head_seq) + 1 ~= tonumber(seq) or head_hash ~= prev_hash then
    return { 'HEAD', tonumber(head_seq), head_hash }
  end

  -- 6. E1: cursors move forward by exactly what was consumed, and the channel has no gap.
  local moved, cursor_fault = moved_cursors(meta, cursors, cursors_count)
  local out_seq = tonumber(was[8] or '0')
  local out_last = out_seq + outs_count
  local inbox_at, posts = tonumber(was[9] or '0'), tonumber(was[10] or '0')
  cursor_fault = cursor_fault
    or out_fault(out, outs, outs_count, out_seq)
    or (out_trim_to > out_last and 'out: trimmed beyond its end')
  local freed
  if not cursor_fault and inbox_to ~= inbox_from then
    freed, cursor_fault = inbox_freed(inbox, inbox_at, inbox_from, inbox_to, posts)
  end
  if cursor_fault then
    return { 'BADCURSOR', cursor_fault }
  end
  -- L3: a key of another type would stop the script halfway; reading it stops the script here.
  if geo then
    redis.call('ZCARD', geo)
  end
  local slot, older_seq
  if checkpoint ~= '' then
    redis.call('HLEN', ckpt0)
    redis.call('HLEN', ckpt1)
    slot, older_seq = older_slot(meta)
  end

  -- 7. The first write.
  -- PERF: a stream keeps the names of fields once, as long as all entries have the same.
  local consumed = freed and inbox_from .. ':' .. inbox_to or ''
  local header = entry_header(epoch, prev_hash, hash, tick)
  redis.call('XADD', log, seq .. '-0', 'h', header, 'b', body, 'i', consumed)
  call.wrote = true

  -- 8. What must agree with it.
  for i = 1, outs_count * 3, 3 do
    redis.call('XADD', out, outs[i] .. '-0', 'd', outs[i + 1], 't', tick, 'b', outs[i + 2])
  end
  redis.call('HSET', meta, 'seq', seq, 'hash', hash, 'tick', tick, 'ids', id_counter, 'last',
    call.now_text, 'deadline', deadline)
  local fields = moved
  if outs_count > 0 then
    append(fields, 'out', out_last)
  end
  if freed then
    append(fields, 'inbox', inbox_to, 'postdone', freed)
    inbox_at = inbox_to
  end
  if slot then
    redis.call('HSET', slot == 0 and ckpt0 or ckpt1, 'seq', seq, 'hash', hash, 'tick', tick, 'body',
      checkpoint)
    append(fields, 'c' .. slot, seq .. ':' .. tick)
  end
  if was[6] ~= '0' then
    append(fields, 'attempts', '0')
  end
  if was[5] ~= '0' then
    append(fields, 'suspect', '0')
  end
  if was[7] ~= ttl_ms then
    append(fields, 'ttl', ttl_ms)
  end
  if ending == 'release' then
    end_lease(fields, call, nonce, 'released', '')
  elseif ending == 'handover' then
    end_lease(fields, call, nonce, 'handover', heir)
  end
  if fields[1] then
    redis.call('HSET', meta, unpack(fields))
  end

  if older_seq and older_seq > 0 then
    -- Two checkpoints are kept, and what follows the older one: a reader may still be loading it.
    local needed_seq = math.min(older_seq, tonumber(seq) - log_keep)
    redis.call('XTRIM', log, 'MINID', (math.max(0, needed_seq) + 1) .. '-0')
  end
  if out_trim_to > 0 then
    redis.call('XTRIM', out, 'MINID', (out_trim_to + 1) .. '-0')
  end
  -- What is kept for a reader goes with the next commit that consumes something.
  if freed and inbox_keep == 0 then
    redis.call('XTRIM', inbox, 'MINID', (inbox_to + 1) .. '-0')
  end
  if geo_drops_count > 0 then
    redis.call('ZREM', geo, unpack(geo_drops))
  end
  if geo_puts_count > 0 then
    -- PERF: what GEOADD would write, without its reading and writing of four numbers as text.
    redis.call('ZADD', geo, unpack(geo_puts))
  end
  return { 'OK', call.now_ms, posts - inbox_at }
end

local function call_cell_commit(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local log_keep = tonumber(args[2])
  if not is_integer(log_keep) then
    return redis.error_reply('BADCALL log_keep: not a whole number')
  end
  local items = tonumber(args[3])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 3
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta, log = keys[k + 1], keys[k + 2], keys[k + 3]
    k = k + 3
    local out
    if bits % 2 >= 1 then
      k = k + 1
      out = keys[k]
    end
    local inbox
    if bits % 4 >= 2 then
      k = k + 1
      inbox = keys[k]
    end
    local ckpt0
    if bits % 8 >= 4 then
      k = k + 1
      ckpt0 = keys[k]
    end
    local ckpt1
    if bits % 16 >= 8 then
      k = k + 1
      ckpt1 = keys[k]
    end
    local geo
    if bits % 32 >= 16 then
      k = k + 1
      geo = keys[k]
    end
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 10 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local nonce = args[a + 3]
    local epoch = args[a + 4]
    local seq = args[a + 5]
    if not is_decimal(seq) then
      fault = { 'BADARG', 'seq: not decimal' }
    end
    local prev_hash = args[a + 6]
    local hash = args[a + 7]
    local tick = args[a + 8]
    if not is_decimal(tick) then
      fault = { 'BADARG', 'tick: not decimal' }
    end
    local id_counter = args[a + 9]
    if not is_decimal(id_counter) then
      fault = { 'BADARG', 'id_counter: not decimal' }
    end
    local ttl_ms = args[a + 10]
    if not is_decimal(ttl_ms) then
      fault = { 'BADARG', 'ttl_ms: not decimal' }
    end
    local body = args[a + 11]
    local at, stop = a + 11, a + 1 + width
    local inbox_from = 0
    if bits % 64 >= 32 then
      at = at + 1
      inbox_from = tonumber(args[at])
      if not is_integer(inbox_from) then
        fault = { 'BADARG', 'inbox_from: not integer' }
      end
    end
    local inbox_to = 0
    if bits % 128 >= 64 then
      at = at + 1
      inbox_to = tonumber(args[at])
      if not is_integer(inbox_to) then
        fault = { 'BADARG', 'inbox_to: not integer' }
      end
    end
    local inbox_keep = 0
    if bits % 256 >= 128 then
      at = at + 1
      inbox_keep = tonumber(args[at])
      if not is_integer(inbox_keep) then
        fault = { 'BADARG', 'inbox_keep: not integer' }
      end
    end
    local out_trim_to = 0
    if bits % 512 >= 256 then
      at = at + 1
      out_trim_to = tonumber(args[at])
      if not is_integer(out_trim_to) then
        fault = { 'BADARG', 'out_trim_to: not integer' }
      end
    end
    local ending = ''
    if bits % 1024 >= 512 then
      at = at + 1
      ending = args[at]
    end
    local heir = ''
    if bits % 2048 >= 1024 then
      at = at + 1
      heir = args[at]
    end
    local checkpoint = ''
    if bits % 4096 >= 2048 then
      at = at + 1
      checkpoint = args[at]
    end
    local cursors, cursors_count = NOTHING, 0
    if bits % 8192 >= 4096 then
      local list_fault
      cursors, cursors_count, at, list_fault = take_list(args, at, stop, 'iii', CURSORS_PER_COMMIT_MAX)
      fault = fault or list_fault
    end
    local outs, outs_count = NOTHING, 0
    if bits % 16384 >= 8192 then
      local list_fault
      outs, outs_count, at, list_fault = take_list(args, at, stop, 'iis', OUT_PER_COMMIT_MAX)
      fault = fault or list_fault
    end
    local geo_puts, geo_puts_count = NOTHING, 0
    if bits % 32768 >= 16384 then
      local list_fault
      geo_puts, geo_puts_count, at, list_fault = take_list(args, at, stop, 'ns', GEO_PER_COMMIT_MAX)
      fault = fault or list_fault
    end
    local geo_drops, geo_drops_count = NOTHING, 0
    if bits % 65536 >= 32768 then
      local list_fault
      geo_drops, geo_drops_count, at, list_fault = take_list(args, at, stop, 's', GEO_PER_COMMIT_MAX)
      fault = fault or list_fault
    end
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(cell_commit, call, log_keep, block, meta, log, out, inbox, ckpt0, ckpt1, geo, nonce, epoch, seq, prev_hash, hash, tick, id_counter, ttl_ms, body, inbox_from, inbox_to, inbox_keep, out_trim_to, ending, heir, checkpoint, cursors, cursors_count, outs, outs_count, geo_puts, geo_puts_count, geo_drops, geo_drops_count)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_cell_commit', callback = call_cell_commit
})

-- cell_create
local function cell_create(call, block, meta, log, hash, id_counter, body)
  if not is_hash(hash) then
    return { 'BADARG', 'hash: empty, too long or with a space' }
  end
  call.bytes = call.bytes + #body
  if #body > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
    return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local was = redis.call('HMGET', meta, 'seq', 'hash', 'born')
  local seq = tonumber(was[1] or '0')
  if seq > 0 then
    -- L4: what the cell was born with tells a repetition, however far the cell has come since.
    if was[3] == hash then
      return { 'ALREADY' }
    end
    return { 'HEAD', seq, was[2] or '' }
  end
  -- L3: the first write is the append; if Redis refuses, nothing has happened.
  redis.call('XADD', log, '1-0', 'h', entry_header('0', '', hash, '0'), 'b', body)
  call.wrote = true
  open_meta(meta)
  redis.call('HSET', meta, 'seq', 1, 'hash', hash, 'tick', 0, 'ids', id_counter, 'born', hash)
  return { 'OK' }
end

local function call_cell_create(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta, log = keys[k + 1], keys[k + 2], keys[k + 3]
    k = k + 3
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 4 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local hash = args[a + 3]
    local id_counter = tonumber(args[a + 4])
    if not is_integer(id_counter) then
      fault = { 'BADARG', 'id_counter: not integer' }
    end
    local body = args[a + 5]
    local at, stop = a + 5, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(cell_create, call, block, meta, log, hash, id_counter, body)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_cell_create', callback = call_cell_create
})

-- cell_heads
local function cell_heads(call, block, meta, cold, place)
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end
  local head = redis.call('HGETALL', meta)
  local mark = #head == 0 and cold_mark(block, cold, place) or 0
  if mark > 0 then
    return { 'COLD', mark }
  end
  return { 'HEAD', call.now_ms, head }
end

local function call_cell_heads(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 3 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local cold = args[a + 3]
    local place = tonumber(args[a + 4])
    if not is_integer(place) then
      fault = { 'BADARG', 'place: not integer' }
    end
    local at, stop = a + 4, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(cell_heads, call, block, meta, cold, place)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_cell_heads', callback = call_cell_heads, flags = { 'no-writes' }
})

-- cell_restore
local function cell_restore(call, block, meta, ckpt0, log, seq, hash, tick, id_counter, asked, out_seq, checkpoint, last_hash, last_tick, last_body, cursors, cursors_count)
  if not is_hash(hash) then
    return { 'BADARG', 'hash: empty, too long or with a space' }
  end
  if checkpoint == '' then
    return { 'BADARG', 'checkpoint: empty' }
  end
  if last_body ~= '' and not (log and is_hash(last_hash)) then
    return { 'BADARG', 'last: its key or its hash is missing' }
  end
  call.bytes = call.bytes + #checkpoint + #last_body
  if #checkpoint > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
    return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local was = redis.call('HMGET', meta, 'seq', 'hash', 'born')
  local at = tonumber(was[1] or '0')
  if at > 0 then
    -- L4: what the cell was born with tells a repetition, however far the cell has come since.
    if was[3] == hash then
      return { 'ALREADY' }
    end
    return { 'HEAD', at, was[2] or '' }
  end
  -- The first write: where Redis refuses, nothing has happened.
  redis.call('HSET', ckpt0, 'seq', seq, 'hash', hash, 'tick', tick, 'body', checkpoint)
  call.wrote = true
  open_meta(meta)
  -- E1: what the cell had taken of others, and how far it had sent.
  for i = 1, cursors_count * 2, 2 do
    redis.call('HSET', meta, 'in:' .. string.format('%.0f', cursors[i]), cursors[i + 1])
  end
  local head_seq, head_hash, head_tick = seq, hash, tick
  if last_body ~= '' then
    head_seq = string.format('%.0f', tonumber(seq) + 1)
    head_hash, head_tick = last_hash, string.format('%.0f', last_tick)
    redis.call('XADD', log, head_seq .. '-0', 'h', entry_header('0', hash, head_hash, head_tick), 'b',
      last_body)
  end
  redis.call('HSET', meta, 'seq', head_seq, 'hash', head_hash, 'tick', head_tick, 'ids', id_counter,
    'asked', asked, 'out', out_seq, 'c0', seq .. ':' .. tick, 'born', hash,
    'restored', seq)
  return { 'OK' }
end

local function call_cell_restore(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta, ckpt0 = keys[k + 1], keys[k + 2], keys[k + 3]
    k = k + 3
    local log
    if bits % 2 >= 1 then
      k = k + 1
      log = keys[k]
    end
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 8 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local seq = args[a + 3]
    if not is_decimal(seq) then
      fault = { 'BADARG', 'seq: not decimal' }
    end
    local hash = args[a + 4]
    local tick = args[a + 5]
    if not is_decimal(tick) then
      fault = { 'BADARG', 'tick: not decimal' }
    end
    local id_counter = args[a + 6]
    if not is_decimal(id_counter) then
      fault = { 'BADARG', 'id_counter: not decimal' }
    end
    local asked = args[a + 7]
    if not is_decimal(asked) then
      fault = { 'BADARG', 'asked: not decimal' }
    end
    local out_seq = args[a + 8]
    if not is_decimal(out_seq) then
      fault = { 'BADARG', 'out_seq: not decimal' }
    end
    local checkpoint = args[a + 9]
    local at, stop = a + 9, a + 1 + width
    local last_hash = ''
    if bits % 4 >= 2 then
      at = at + 1
      last_hash = args[at]
    end
    local last_tick = 0
    if bits % 8 >= 4 then
      at = at + 1
      last_tick = tonumber(args[at])
      if not is_integer(last_tick) then
        fault = { 'BADARG', 'last_tick: not integer' }
      end
    end
    local last_body = ''
    if bits % 16 >= 8 then
      at = at + 1
      last_body = args[at]
    end
    local cursors, cursors_count = NOTHING, 0
    if bits % 32 >= 16 then
      local list_fault
      cursors, cursors_count, at, list_fault = take_list(args, at, stop, 'ii', CURSORS_PER_COMMIT_MAX)
      fault = fault or list_fault
    end
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(cell_restore, call, block, meta, ckpt0, log, seq, hash, tick, id_counter, asked, out_seq, checkpoint, last_hash, last_tick, last_body, cursors, cursors_count)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_cell_restore', callback = call_cell_restore
})

-- cell_sleep
local function cell_sleep(call, block, meta, log, out, inbox, posted, ckpt0, ckpt1, geo, cold, place, seq, hash, epoch, posts, asked, out_read, mark)
  if hash ~= '' and not is_hash(hash) then
    return { 'BADARG', 'hash: too long or with a space' }
  end
  if (mark == 0) ~= (seq == '0') or mark > COLD_MARK_MAX then
    return { 'BADARG', 'mark: of what was written, and of nothing else' }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local was = redis.call('HMGET', meta, 'nonce', 'cause', 'until', 'seq', 'hash', 'posts', 'inbox',
    'asked', 'out', 'epoch')
  if not was[1] and not was[4] and not was[6] and not was[8] then
    local known = cold_mark(block, cold, place)
    return known > 0 and { 'COLD', known } or { 'OK' }
  end
  if (was[1] or '') ~= '' or (was[2] == 'handover' and tonumber(was[3] or '0') > call.now_ms) then
    return { 'BUSY', 'held' }
  end
  if (was[4] or '0') ~= seq or (was[5] or '') ~= hash or (was[6] or '0') ~= posts or
    (was[8] or '0') ~= asked or (was[10] or '0') ~= epoch then
    return { 'BUSY', 'changed' }
  end
  if posts ~= (was[7] or '0') then
    return { 'BUSY', 'something waits in its inbox' }
  end
  -- E1: what it has sent stays until it has been read.
  if tonumber(was[9] or '0') > out_read then
    return { 'BUSY', 'something waits in its channel' }
  end
  if seq == '0' and (asked ~= '0' or posts ~= '0') then
    return { 'BUSY', 'it was never written' }
  end

  -- The first write: where Redis refuses, nothing has happened.
  if mark > 0 then
    set_cold_mark(block, cold, place, mark)
  end
  call.wrote = true
  redis.call('UNLINK', meta, log, out, inbox, posted, ckpt0, ckpt1, geo)
  return { 'OK' }
end

local function call_cell_sleep(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta, log, out, inbox, posted, ckpt0, ckpt1, geo = keys[k + 1], keys[k + 2], keys[k + 3], keys[k + 4], keys[k + 5], keys[k + 6], keys[k + 7], keys[k + 8], keys[k + 9]
    k = k + 9
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 10 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local cold = args[a + 3]
    local place = tonumber(args[a + 4])
    if not is_integer(place) then
      fault = { 'BADARG', 'place: not integer' }
    end
    local seq = args[a + 5]
    if not is_decimal(seq) then
      fault = { 'BADARG', 'seq: not decimal' }
    end
    local hash = args[a + 6]
    local epoch = args[a + 7]
    if not is_decimal(epoch) then
      fault = { 'BADARG', 'epoch: not decimal' }
    end
    local posts = args[a + 8]
    if not is_decimal(posts) then
      fault = { 'BADARG', 'posts: not decimal' }
    end
    local asked = args[a + 9]
    if not is_decimal(asked) then
      fault = { 'BADARG', 'asked: not decimal' }
    end
    local out_read = tonumber(args[a + 10])
    if not is_integer(out_read) then
      fault = { 'BADARG', 'out_read: not integer' }
    end
    local mark = tonumber(args[a + 11])
    if not is_integer(mark) then
      fault = { 'BADARG', 'mark: not integer' }
    end
    local at, stop = a + 11, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(cell_sleep, call, block, meta, log, out, inbox, posted, ckpt0, ckpt1, geo, cold, place, seq, hash, epoch, posts, asked, out_read, mark)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_cell_sleep', callback = call_cell_sleep
})

-- cell_wake
local function cell_wake(call, block, meta, posted, ckpt0, cold, place, seq, hash, tick, mark, checkpoint, heads, heads_count, ids, ids_count)
  if not is_hash(hash) then
    return { 'BADARG', 'hash: empty, too long or with a space' }
  end
  if checkpoint == '' then
    return { 'BADARG', 'checkpoint: empty' }
  end
  call.bytes = call.bytes + #checkpoint
  if #checkpoint > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
    return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end
  -- Only the state that left comes back; whoever has another one looks again.
  if redis.call('EXISTS', meta) == 1 or cold_mark(block, cold, place) ~= mark then
    return { 'ALREADY' }
  end
  -- The first write: where Redis refuses, nothing has happened.
  redis.call('HSET', ckpt0, 'seq', seq, 'hash', hash, 'tick', tick, 'body', checkpoint)
  call.wrote = true
  open_meta(meta)
  for i = 1, heads_count * 2, 2 do
    redis.call('HSET', meta, heads[i], heads[i + 1])
  end
  -- L4: posts that were consumed are recognised when they are repeated.
  for i = 1, ids_count * 2, 2 do
    redis.call('HSET', posted, ids[i], ids[i + 1])
  end
  redis.call('HSET', meta, 'seq', seq, 'hash', hash, 'tick', tick, 'c0', seq .. ':' .. tick,
    'restored', seq)
  set_cold_mark(block, cold, place, 0)
  return { 'OK' }
end

local function call_cell_wake(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta, posted, ckpt0 = keys[k + 1], keys[k + 2], keys[k + 3], keys[k + 4]
    k = k + 4
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 8 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local cold = args[a + 3]
    local place = tonumber(args[a + 4])
    if not is_integer(place) then
      fault = { 'BADARG', 'place: not integer' }
    end
    local seq = args[a + 5]
    if not is_decimal(seq) then
      fault = { 'BADARG', 'seq: not decimal' }
    end
    local hash = args[a + 6]
    local tick = args[a + 7]
    if not is_decimal(tick) then
      fault = { 'BADARG', 'tick: not decimal' }
    end
    local mark = tonumber(args[a + 8])
    if not is_integer(mark) then
      fault = { 'BADARG', 'mark: not integer' }
    end
    local checkpoint = args[a + 9]
    local at, stop = a + 9, a + 1 + width
    local heads, heads_count = NOTHING, 0
    if bits % 2 >= 1 then
      local list_fault
      heads, heads_count, at, list_fault = take_list(args, at, stop, 'ss', HEAD_FIELDS_MAX)
      fault = fault or list_fault
    end
    local ids, ids_count = NOTHING, 0
    if bits % 4 >= 2 then
      local list_fault
      ids, ids_count, at, list_fault = take_list(args, at, stop, 'ss', POSTED_FIELDS_MAX)
      fault = fault or list_fault
    end
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(cell_wake, call, block, meta, posted, ckpt0, cold, place, seq, hash, tick, mark, checkpoint, heads, heads_count, ids, ids_count)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_cell_wake', callback = call_cell_wake
})

-- ids_reserve
local function ids_reserve(call, block, meta, count, cold, place)
  if count < 1 or count > IDS_PER_CALL_MAX then
    return { 'BADARG', 'count: not within 1 and 100000' }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end
  local asked = redis.call('HGET', meta, 'asked')
  local mark = not asked and cold_mark(block, cold, place) or 0
  if mark > 0 then
    return { 'COLD', mark }
  end
  local last = tonumber(asked or '0')
  if last + count > ID_COUNTER_MAX then
    return { 'TOOBIG', 'a cell bears 4294967295 entities that are asked for from outside' }
  end
  -- E2: an id is given out once.
  redis.call('HINCRBY', meta, 'asked', count)
  call.wrote = true
  return { 'OK', last + 1 }
end

local function call_ids_reserve(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 4 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local count = tonumber(args[a + 3])
    if not is_integer(count) then
      fault = { 'BADARG', 'count: not integer' }
    end
    local cold = args[a + 4]
    local place = tonumber(args[a + 5])
    if not is_integer(place) then
      fault = { 'BADARG', 'place: not integer' }
    end
    local at, stop = a + 5, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(ids_reserve, call, block, meta, count, cold, place)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_ids_reserve', callback = call_ids_reserve
})

-- inbox_post
local function inbox_post(call, block, meta, inbox, posted, id, body, cold, place)
  if id == '' or #id > NONCE_BYTES_MAX then
    return { 'BADARG', 'id: empty or longer than 128 bytes' }
  end
  call.bytes = call.bytes + #body
  if #body > POST_BYTES_MAX then
    return { 'TOOBIG', 'a post carries at most 65536 bytes' }
  end
  if call.bytes > BYTES_PER_CALL_MAX then
    return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  -- M1: a repetition gets the position it had, also after the post was consumed.
  local known = redis.call('HGET', posted, 'i' .. id)
  local was = redis.call('HMGET', meta, 'posts', 'inbox', 'postsum', 'postdone', 'nonce')
  if not was[1] and not was[5] then
    local mark = cold_mark(block, cold, place)
    if mark > 0 then
      return { 'COLD', mark }
    end
  end
  -- Whoever holds the cell is to be told.
  local nonce = was[5] or ''
  if known then
    return { 'OK', tonumber(known), nonce }
  end
  local last, cursor = tonumber(was[1] or '0'), tonumber(was[2] or '0')
  local sum, done = tonumber(was[3] or '0'), tonumber(was[4] or '0')
  if last - cursor >= INBOX_ENTRIES_MAX or sum - done + #body > INBOX_BYTES_MAX then
    return { 'FULL' }
  end

  local seq = last + 1
  local slot = 's' .. seq % POST_IDS_MAX
  local old = redis.call('HGET', posted, slot)
  sum = sum + #body
  -- The running sum of bytes lets the consumer's commit count what it freed without reading it.
  redis.call('XADD', inbox, seq .. '-0', 'i', id, 's', sum, 'b', body)
  call.wrote = true
  redis.call('HSET', meta, 'posts', seq, 'postsum', sum)
  if old then
    redis.call('HDEL', posted, 'i' .. old)
  end
  redis.call('HSET', posted, 'i' .. id, seq, slot, id)
  return { 'OK', seq, nonce }
end

local function call_inbox_post(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta, inbox, posted = keys[k + 1], keys[k + 2], keys[k + 3], keys[k + 4]
    k = k + 4
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 5 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local id = args[a + 3]
    local body = args[a + 4]
    local cold = args[a + 5]
    local place = tonumber(args[a + 6])
    if not is_integer(place) then
      fault = { 'BADARG', 'place: not integer' }
    end
    local at, stop = a + 6, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(inbox_post, call, block, meta, inbox, posted, id, body, cold, place)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_inbox_post', callback = call_inbox_post
})

-- leader_resign
local function leader_resign(call, leader, name)
  -- L4: who does not lead has nothing to give back.
  if is_leader(name) and redis.call('HGET', leader, 'name') == name then
    redis.call('HSET', leader, 'name', '', 'deadline', 0)
  end
  return { 'OK' }
end

local function call_leader_resign(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local leader = keys[k + 1]
    k = k + 1
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 2 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local name = args[a + 3]
    local at, stop = a + 3, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(leader_resign, call, leader, name)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_leader_resign', callback = call_leader_resign
})

-- leader_take
local function leader_take(call, leader, name, ttl_ms)
  if not is_leader(name) then
    return { 'BADARG', 'name: not 1 to 64 letters, digits, _ or -' }
  end
  if ttl_ms < 1 or ttl_ms > LEAD_TTL_MS_MAX then
    return { 'BADARG', 'ttl_ms: not within 1 and 60000' }
  end
  local now_ms = call.now_ms
  local was = redis.call('HMGET', leader, 'name', 'term', 'deadline', 'ttl')
  local holder, term = was[1] or '', tonumber(was[2] or '0')
  if holder ~= '' and holder ~= name then
    local left_ms = lead_left_ms(call, was[3], was[4])
    if left_ms > 0 then
      if tonumber(was[3]) > now_ms + left_ms then
        redis.call('HSET', leader, 'deadline', now_ms + left_ms)
      end
      return { 'FOLLOWING', holder, left_ms, now_ms }
    end
  end
  -- P1: a term is of one leader, without a break by another.
  if holder ~= name then
    term = term + 1
  end
  redis.call('HSET', leader, 'name', name, 'term', term, 'deadline', now_ms + ttl_ms, 'ttl', ttl_ms)
  return { 'LEADING', term, now_ms }
end

local function call_leader_take(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local leader = keys[k + 1]
    k = k + 1
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 3 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local name = args[a + 3]
    local ttl_ms = tonumber(args[a + 4])
    if not is_integer(ttl_ms) then
      fault = { 'BADARG', 'ttl_ms: not integer' }
    end
    local at, stop = a + 4, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(leader_take, call, leader, name, ttl_ms)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_leader_take', callback = call_leader_take
})

-- lease_acquire
local function lease_acquire(call, grace_ms, dead, block, meta, nonce, ttl_ms, cold, place)
  if not is_nonce(nonce) then
    return { 'BADARG', 'nonce: not <pod>.<random>' }
  end
  if ttl_ms < 1 or ttl_ms > LEASE_TTL_MS_MAX then
    return { 'BADARG', 'ttl_ms: not within 1 and 60000' }
  end
  if #dead > DEAD_BYTES_MAX then
    return { 'BADARG', 'dead: too many pods' }
  end
  if grace_ms > GRACE_MS_MAX then
    return { 'BADARG', 'grace_ms: above 60000' }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local now_ms = call.now_ms
  local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'deadline', 'suspect', 'attempts', 'ttl',
    'cause', 'from', 'heir', 'until', 'past', 'last', 'prev')
  if not was[2] then
    local mark = cold_mark(block, cold, place)
    if mark > 0 then
      return { 'COLD', mark }
    end
  end
  local holder, epoch, attempts = was[1] or '', was[2] or '0', tonumber(was[5] or '0')
  local cause, from, last_at_ms = was[7] or 'free', was[8] or '', tonumber(was[12] or '0')

  -- L4: the reply of this very acquisition was lost. Nothing changes, the deadline neither.
  if holder == nonce then
    return { 'GRANTED', epoch, attempts, cause, from, tonumber(was[13] or '0'), now_ms,
      redis.call('HGETALL', meta) }
  end
  -- L2: a nonce is used once. This one has ended: the call is a late duplicate.
  if was[11] == nonce then
    return { 'BADARG', 'nonce: was used before' }
  end

  if holder ~= '' and string.find(' ' .. dead, ' ' .. pod_of(holder) .. ' ', 1, true) then
    cause, from = 'revoked', pod_of(holder)
  elseif holder ~= '' then
    local deadline_ms, ttl_was = tonumber(was[3] or '0'), tonumber(was[6] or '0')
    -- L5: no deadline lies further ahead than its own term, or a clock that went back would keep the
    -- cells of a dead holder for as long as the step was.
    if deadline_ms > now_ms + ttl_was then
      deadline_ms = now_ms + ttl_was
      redis.call('HSET', meta, 'deadline', deadline_ms)
    end
    if deadline_ms > now_ms then
      return { 'HELD', holder, deadline_ms, now_ms }
    end
    -- L5: the first strike only marks. A commit or renewal within the grace time clears the mark.
    local suspect_ms = tonumber(was[4] or '0')
    if suspect_ms == 0 or suspect_ms > now_ms then
      redis.call('HSET', meta, 'suspect', now_ms)
      return { 'SUSPECT', holder, grace_ms, now_ms }
    end
    if now_ms < suspect_ms + grace_ms then
      return { 'SUSPECT', holder, suspect_ms + grace_ms - now_ms, now_ms }
    end
    cause, from = 'expired', pod_of(holder)
  elseif cause == 'handover' and was[9] ~= pod_of(nonce) then
    local until_ms = tonumber(was[10] or '0')
    if until_ms > now_ms + HANDOVER_MS then
      until_ms = now_ms + HANDOVER_MS
      redis.call('HSET', meta, 'until', until_ms)
    end
    if until_ms > now_ms then
      return { 'RESERVED', was[9] or '', until_ms - now_ms, now_ms }
    end
    cause = 'released'
  end

  -- L2: epochs rise even where a lost timeline has issued higher ones, unless the clock went back.
  epoch = decimal_next(epoch)
  if decimal_below(epoch, call.now_us) then
    epoch = call.now_us
  end
  attempts = attempts + 1
  if not was[2] then
    open_meta(meta)
  end
  redis.call('HSET', meta, 'nonce', nonce, 'epoch', epoch, 'deadline', now_ms + ttl_ms, 'suspect', 0,
    'attempts', attempts, 'ttl', ttl_ms, 'cause', cause, 'from', from, 'heir', '', 'until', 0,
    'past', holder ~= '' and holder or was[11] or '', 'last', now_ms, 'prev', last_at_ms)
  return { 'GRANTED', epoch, attempts, cause, from, last_at_ms, now_ms, redis.call('HGETALL', meta) }
end

local function call_lease_acquire(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local grace_ms = tonumber(args[2])
  if not is_integer(grace_ms) then
    return redis.error_reply('BADCALL grace_ms: not a whole number')
  end
  local dead = args[3]
  if not dead then
    return redis.error_reply('BADCALL dead: missing or malformed')
  end
  local items = tonumber(args[4])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 4
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 5 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local nonce = args[a + 3]
    local ttl_ms = tonumber(args[a + 4])
    if not is_integer(ttl_ms) then
      fault = { 'BADARG', 'ttl_ms: not integer' }
    end
    local cold = args[a + 5]
    local place = tonumber(args[a + 6])
    if not is_integer(place) then
      fault = { 'BADARG', 'place: not integer' }
    end
    local at, stop = a + 6, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(lease_acquire, call, grace_ms, dead, block, meta, nonce, ttl_ms, cold, place)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_lease_acquire', callback = call_lease_acquire
})

-- lease_handover
local function lease_handover(call, heir, block, meta, nonce, epoch)
  if not is_pod(heir) then
    return { 'BADARG', 'heir: not the name of a pod' }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'past', 'attempts', 'heir')
  -- L4: it was handed over by this very call before, and nobody has taken it since.
  if nonce ~= '' and was[1] == '' and was[2] == epoch and was[3] == nonce and was[5] == heir then
    return { 'OK', call.now_ms }
  end
  -- L1: only the holder hands over.
  if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then
    return fenced(was[1], was[2])
  end
  local fields = { 'last', call.now_ms }
  end_lease(fields, call, nonce, 'handover', heir)
  forgive(fields, was[4])
  redis.call('HSET', meta, unpack(fields))
  return { 'OK', call.now_ms }
end

local function call_lease_handover(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local heir = args[2]
  if not heir then
    return redis.error_reply('BADCALL heir: missing or malformed')
  end
  local items = tonumber(args[3])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 3
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 3 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local nonce = args[a + 3]
    local epoch = args[a + 4]
    if not is_decimal(epoch) then
      fault = { 'BADARG', 'epoch: not decimal' }
    end
    local at, stop = a + 4, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(lease_handover, call, heir, block, meta, nonce, epoch)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_lease_handover', callback = call_lease_handover
})

-- lease_release
local function lease_release(call, block, meta, nonce, epoch)
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'past', 'attempts')
  -- L4: it was released by this very call before, and nobody has taken it since.
  if nonce ~= '' and was[1] == '' and was[2] == epoch and was[3] == nonce then
    return { 'OK', call.now_ms }
  end
  -- L1: only the holder gives back.
  if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then
    return fenced(was[1], was[2])
  end
  local fields = { 'last', call.now_ms }
  end_lease(fields, call, nonce, 'released', '')
  forgive(fields, was[4])
  redis.call('HSET', meta, unpack(fields))
  return { 'OK', call.now_ms }
end

local function call_lease_release(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 3 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local nonce = args[a + 3]
    local epoch = args[a + 4]
    if not is_decimal(epoch) then
      fault = { 'BADARG', 'epoch: not decimal' }
    end
    local at, stop = a + 4, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(lease_release, call, block, meta, nonce, epoch)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_lease_release', callback = call_lease_release
})

-- lease_renew
local function lease_renew(call, ttl_ms, block, meta, nonce, epoch)
  if ttl_ms < 1 or ttl_ms > LEASE_TTL_MS_MAX then
    return { 'BADARG', 'ttl_ms: not within 1 and 60000' }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local was = redis.call('HMGET', meta, 'nonce', 'epoch')
  -- L1: the lease is who the store says, at this instant.
  if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then
    return fenced(was[1], was[2])
  end
  redis.call('HSET', meta, 'deadline', call.now_ms + ttl_ms, 'suspect', 0, 'ttl', ttl_ms, 'last',
    call.now_ms)
  return { 'OK', call.now_ms }
end

local function call_lease_renew(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local ttl_ms = tonumber(args[2])
  if not is_integer(ttl_ms) then
    return redis.error_reply('BADCALL ttl_ms: not a whole number')
  end
  local items = tonumber(args[3])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 3
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 3 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local nonce = args[a + 3]
    local epoch = args[a + 4]
    if not is_decimal(epoch) then
      fault = { 'BADARG', 'epoch: not decimal' }
    end
    local at, stop = a + 4, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(lease_renew, call, ttl_ms, block, meta, nonce, epoch)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_lease_renew', callback = call_lease_renew
})

-- lease_revoke
local function lease_revoke(call, block, meta, nonce)
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end

  local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'past')
  -- L4: it has ended before, and nobody has taken the cell since.
  if nonce ~= '' and was[1] == '' and was[3] == nonce then
    return { 'OK', call.now_ms }
  end
  -- L1: a lease that began meanwhile is not the one that was meant.
  if nonce == '' or was[1] ~= nonce then
    return fenced(was[1], was[2])
  end
  local fields = {}
  end_lease(fields, call, nonce, 'revoked', '')
  redis.call('HSET', meta, unpack(fields))
  return { 'OK', call.now_ms }
end

local function call_lease_revoke(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 2 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local nonce = args[a + 3]
    local at, stop = a + 3, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(lease_revoke, call, block, meta, nonce)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_lease_revoke', callback = call_lease_revoke
})

-- letter_add
local function letter_add(call, letters, order, added, added_count)
  -- S-3: a key of another type is found before the first write.
  redis.call('HLEN', letters)
  redis.call('ZCARD', order)
  for i = 1, added_count * 3, 3 do
    local id, at_ms, json = added[i], added[i + 1], added[i + 2]
    -- L4: a letter that is there stays as it is.
    if redis.call('HSETNX', letters, 'l' .. id, json) == 1 then
      call.wrote = true
      redis.call('ZADD', order, at_ms, id)
      redis.call('HINCRBY', letters, 'bytes', #json)
    end
  end
  local count = redis.call('ZCARD', order)
  local bytes = tonumber(redis.call('HGET', letters, 'bytes') or '0')
  -- At most as many steps as there are letters.
  while count > DEAD_LETTERS_MAX or bytes > LETTER_BYTES_MAX do
    local oldest = redis.call('ZPOPMIN', order)[1]
    if not oldest then
      break
    end
    local size = redis.call('HSTRLEN', letters, 'l' .. oldest)
    redis.call('HDEL', letters, 'l' .. oldest)
    bytes = redis.call('HINCRBY', letters, 'bytes', -size)
    count = count - 1
  end
  return { 'OK' }
end

local function call_letter_add(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local letters, order = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 1 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local at, stop = a + 2, a + 1 + width
    local added, added_count = NOTHING, 0
    if bits % 2 >= 1 then
      local list_fault
      added, added_count, at, list_fault = take_list(args, at, stop, 'sns', LETTERS_PER_CALL_MAX)
      fault = fault or list_fault
    end
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(letter_add, call, letters, order, added, added_count)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_letter_add', callback = call_letter_add
})

-- letter_drop
local function letter_drop(call, letters, order, ids, ids_count)
  redis.call('HLEN', letters)
  local dropped = 0
  for i = 1, ids_count do
    local field = 'l' .. ids[i]
    if redis.call('ZREM', order, ids[i]) == 1 then
      call.wrote = true
      redis.call('HINCRBY', letters, 'bytes', -redis.call('HSTRLEN', letters, field))
      dropped = dropped + redis.call('HDEL', letters, field)
    end
  end
  return { 'OK', dropped }
end

local function call_letter_drop(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local letters, order = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 1 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local at, stop = a + 2, a + 1 + width
    local ids, ids_count = NOTHING, 0
    if bits % 2 >= 1 then
      local list_fault
      ids, ids_count, at, list_fault = take_list(args, at, stop, 's', LETTERS_PER_CALL_MAX)
      fault = fault or list_fault
    end
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(letter_drop, call, letters, order, ids, ids_count)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_letter_drop', callback = call_letter_drop
})

-- out_restore
local function out_restore(call, block, meta, out, outs, outs_count)
  local bytes = 0
  for i = 4, outs_count * 4, 4 do
    bytes = bytes + #outs[i]
  end
  call.bytes = call.bytes + bytes
  if bytes > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
    return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
  end
  local refusal = block_refusal(call, block)
  if refusal then
    return refusal
  end
  local out_seq = tonumber(redis.call('HGET', meta, 'out') or '0')
  local last = redis.call('XREVRANGE', out, '+', '-', 'COUNT', 1)[1]
  local written = last and tonumber(string.match(last[1], '^%d+')) or 0
  for i = 1, outs_count * 4, 4 do
    if outs[i] > out_seq then
      return { 'BADARG', 'out: beyond the end of the channel' }
    end
  end
  for i = 1, outs_count * 4, 4 do
    local seq = outs[i]
    if seq > written then
      redis.call('XADD', out, string.format('%.0f', seq) .. '-0', 'd', outs[i + 1], 't', outs[i + 2],
        'b', outs[i + 3])
      call.wrote = true
      written = seq
    end
  end
  return { 'OK' }
end

local function call_out_restore(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local block, meta, out = keys[k + 1], keys[k + 2], keys[k + 3]
    k = k + 3
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 1 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local at, stop = a + 2, a + 1 + width
    local outs, outs_count = NOTHING, 0
    if bits % 2 >= 1 then
      local list_fault
      outs, outs_count, at, list_fault = take_list(args, at, stop, 'iiis', OUT_PER_COMMIT_MAX)
      fault = fault or list_fault
    end
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(out_restore, call, block, meta, out, outs, outs_count)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_out_restore', callback = call_out_restore
})

-- plan_write
local function plan_write(call, leader, plan, journal, name, term, version, mark, channel, body, decisions, decisions_count)
  local bytes = #body
  for i = 1, decisions_count do
    bytes = bytes + #decisions[i]
  end
  if bytes > PLAN_BYTES_MAX then
    return { 'TOOBIG', 'a plan and its decisions have at most 4194304 bytes' }
  end
  -- P1: the lead is who the store says, at this instant.
  local refusal = lead_refusal(call, leader, name, term)
  if refusal then
    return refusal
  end
  local was = redis.call('HMGET', plan, 'version', 'mark')
  local stored = tonumber(was[1] or '0')
  -- L4: this very plan was written before; its reply was lost.
  if stored == version and was[2] == mark then
    return { 'OK' }
  end
  -- P2: a plan follows the one that is stored.
  if version ~= stored + 1 then
    return { 'BEHIND', stored }
  end
  -- P3: a journal of another type is found before the first write.
  redis.call('XLEN', journal)

  for i = 1, decisions_count do
    redis.call('XADD', journal, 'MAXLEN', '~', JOURNAL_ENTRIES_MAX, '*', 'v', version, 't',
      call.now_text, 'd', decisions[i])
    call.wrote = true
  end
  redis.call('HSET', plan, 'version', version, 'mark', mark, 'body', body)
  call.wrote = true
  -- A hint, for pods ask anyway: a server that forbids it does not make what is written a failure.
  pcall(redis.call, 'PUBLISH', channel, '{"plan":' .. version .. '}')
  return { 'OK' }
end

local function call_plan_write(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local leader, plan, journal = keys[k + 1], keys[k + 2], keys[k + 3]
    k = k + 3
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 7 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local name = args[a + 3]
    local term = tonumber(args[a + 4])
    if not is_integer(term) then
      fault = { 'BADARG', 'term: not integer' }
    end
    local version = tonumber(args[a + 5])
    if not is_integer(version) then
      fault = { 'BADARG', 'version: not integer' }
    end
    local mark = args[a + 6]
    local channel = args[a + 7]
    local body = args[a + 8]
    local at, stop = a + 8, a + 1 + width
    local decisions, decisions_count = NOTHING, 0
    if bits % 2 >= 1 then
      local list_fault
      decisions, decisions_count, at, list_fault = take_list(args, at, stop, 's', DECISIONS_PER_PLAN_MAX)
      fault = fault or list_fault
    end
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(plan_write, call, leader, plan, journal, name, term, version, mark, channel, body, decisions, decisions_count)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_plan_write', callback = call_plan_write
})

-- sample_write
local function sample_write(call, leader, samples, name, term, body)
  if #body > BYTES_PER_CALL_MAX then
    return { 'TOOBIG', 'a sample has at most 524288 bytes' }
  end
  local refusal = lead_refusal(call, leader, name, term)
  if refusal then
    return refusal
  end
  redis.call('XADD', samples, 'MAXLEN', SAMPLES_MAX, '*', 'b', body)
  call.wrote = true
  redis.call('XTRIM', samples, 'MINID', string.format('%.0f', call.now_ms - SAMPLES_KEPT_MS))
  return { 'OK' }
end

local function call_sample_write(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local leader, samples = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 4 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local name = args[a + 3]
    local term = tonumber(args[a + 4])
    if not is_integer(term) then
      fault = { 'BADARG', 'term: not integer' }
    end
    local body = args[a + 5]
    local at, stop = a + 5, a + 1 + width
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(sample_write, call, leader, samples, name, term, body)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_sample_write', callback = call_sample_write
})

-- whereabouts_note
local function whereabouts_note(call, dir, died, notes, notes_count)
  -- S-3: a list of another type is found before the first write.
  redis.call('LLEN', died)
  for i = 1, notes_count * 3, 3 do
    local id, place, tick = notes[i], notes[i + 1], notes[i + 2]
    local known = redis.call('HGET', dir, id)
    -- N1: of two notes the later tick stands; pods write theirs when they can.
    if not known or tonumber(string.match(known, '%d+$')) < tick then
      redis.call('HSET', dir, id, string.format('%.0f:%.0f', place, tick))
      call.wrote = true
      -- That it died is remembered for a while, so that an earlier note that is late does not bring
      -- it back.
      if place == 0 and redis.call('RPUSH', died, id) > DEATHS_NOTED_MAX then
        local oldest = redis.call('LPOP', died)
        redis.call('HDEL', dir, oldest)
      end
    end
  end
  return { 'OK' }
end

local function call_whereabouts_note(keys, args)
  local incarnation = args[1]
  if not incarnation or not is_decimal(incarnation) then
    return redis.error_reply('BADCALL incarnation: missing or malformed')
  end
  local items = tonumber(args[2])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, 2
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
    local dir, died = keys[k + 1], keys[k + 2]
    k = k + 2
    if k > #keys then
      fault = { 'BADARG', 'a key is missing' }
    end
    if width < 1 then
      return redis.error_reply('BADCALL an argument is missing')
    end
    local at, stop = a + 2, a + 1 + width
    local notes, notes_count = NOTHING, 0
    if bits % 2 >= 1 then
      local list_fault
      notes, notes_count, at, list_fault = take_list(args, at, stop, 'dii', NOTES_PER_CALL_MAX)
      fault = fault or list_fault
    end
    if at ~= stop then
      fault = fault or { 'BADARG', 'arguments are left over' }
    end
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(whereabouts_note, call, dir, died, notes, notes_count)
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '@library@_whereabouts_note', callback = call_whereabouts_note
})
`;
