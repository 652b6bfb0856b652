/**
 * One cell as it was at the end of a tick, from what can be read of it later: a checkpoint that is not
 * behind that tick, and the log from there on (S1). What the cell took in since is known by its log.
 */
import { LeaseholdError } from '@leasehold/kernel';
import {
  applyCommit,
  type CellImage,
  type ChannelEntry,
  commitTraffic,
  decodeCheckpoint,
  decodeCommit,
  encodeCheckpoint,
  type Head,
  type LayerSchema,
  type LogEntry,
  type Post,
  postTick,
  type SchemaResolver,
  Table,
} from '@leasehold/protocol';

export type CellReading = {
  /** Read before the image. */
  readonly head: Head;
  readonly image: CellImage;
  /** All posts that can be read of its inbox. Read after the image. */
  readonly posts: readonly Post[];
  /** How far the cell had taken its posts when the last of them were read. */
  readonly inboxEnd: number;
  /** The last entry up to the cut that was in the channel of a source; 0: there was none any more. */
  readonly lastSent: (from: number) => number;
};

/** A cell at the cut. Addresses are as its own layer knows them. */
export type CellCut = {
  readonly cell: number;
  readonly seq: number;
  readonly hash: string;
  readonly tick: number;
  readonly idCounter: number;
  readonly asked: number;
  readonly outSeq: number;
  readonly cursors: ReadonlyMap<number, number>;
  /** How far it had taken its posts. */
  readonly inbox: number;
  /** As `encodeCheckpoint` writes it, of tick 0 and id counter 0. */
  readonly rows: Uint8Array;
  readonly count: number;
  /** Letters that lay in its inbox. */
  readonly letters: readonly { readonly id: string; readonly body: Uint8Array }[];
  /** Entries that it took of channels since, written up to the cut. */
  readonly taken: readonly ChannelEntry[];
  /** Where what was read of its log ends. */
  readonly read: { readonly seq: number; readonly tick: number };
};

/** Throws `SNAPSHOT_UNSTABLE` when what is needed is not there any more: then a later tick must do. */
export function cutCell(
  { head, image, posts, inboxEnd, lastSent }: CellReading,
  tick: number,
  schema: LayerSchema,
  older: SchemaResolver,
): CellCut {
  const { cell, checkpoint, entries } = image;
  if (checkpoint !== undefined && checkpoint.tick > tick) throw unstable(cell, 'its checkpoints');
  const first = entries.findIndex((entry) => entry.tick > tick);
  const due = first === -1 ? entries : entries.slice(0, first);
  const later = entries.slice(due.length);
  const last = due.at(-1) ?? checkpoint;
  const end = entries.at(-1) ?? last;
  const at = positionsAt({ head, due, later, seq: last?.seq ?? 0, tick, lastSent });
  return {
    ...{ cell, ...stateAt(image, due, schema, older) },
    ...{ seq: last?.seq ?? 0, hash: last?.hash ?? '', tick: last?.tick ?? 0 },
    ...{ asked: head.asked, ...at },
    letters: lettersIn(posts, { cell, tick, inboxEnd, after: at.inbox }),
    taken: later
      .flatMap(({ body }) => commitTraffic(body).arrivals)
      .filter((entry) => entry.tick <= tick),
    read: { seq: end?.seq ?? 0, tick: end?.tick ?? 0 },
  };
}

function stateAt(
  { checkpoint }: CellImage,
  due: readonly LogEntry[],
  schema: LayerSchema,
  older: SchemaResolver,
): Pick<CellCut, 'idCounter' | 'rows' | 'count'> {
  const stored =
    checkpoint === undefined ? undefined : decodeCheckpoint(checkpoint.body, schema, older);
  const table = stored?.table ?? new Table(schema);
  let idCounter = stored?.idCounter ?? 0;
  for (const entry of due) {
    const body = decodeCommit(entry.body, schema, older);
    applyCommit(table, body);
    idCounter = body.idCounter;
  }
  return {
    idCounter,
    count: table.count,
    rows: encodeCheckpoint(table, { tick: 0, idCounter: 0 }),
  };
}

type Around = {
  readonly head: Head;
  /** Entries up to the cut, and behind it. */
  readonly due: readonly LogEntry[];
  readonly later: readonly LogEntry[];
  /** Of the last entry up to the cut. */
  readonly seq: number;
  readonly tick: number;
  readonly lastSent: CellReading['lastSent'];
};
type Positions = Pick<CellCut, 'cursors' | 'outSeq' | 'inbox'>;

/**
 * How far it had sent and taken: the head tells it of one position, and what each entry between that and
 * the cut took and sent tells the difference.
 */
function positionsAt({ head, due, later, seq, tick, lastSent }: Around): Positions {
  const cursors = new Map(head.cursors);
  const taken = new Map<number, number>();
  let { outSeq, inboxCursor: inbox } = head;
  for (const entry of due) {
    const { arrivals, departures } = commitTraffic(entry.body);
    for (const each of arrivals) taken.set(each.from, each.seq);
    if (entry.seq <= head.seq) continue;
    for (const each of arrivals) cursors.set(each.from, each.seq);
    outSeq = departures.at(-1)?.seq ?? outSeq;
    inbox = entry.inbox?.to ?? inbox;
  }
  for (const entry of head.seq > seq ? later.toReversed() : []) {
    if (entry.seq > head.seq) continue;
    const { arrivals, departures } = commitTraffic(entry.body);
    for (const each of arrivals.toReversed()) {
      // Of what lies between, nothing was for this cell. What was sent later is not in the cut at all.
      const isInCut = each.tick <= tick;
      const sent = lastSent(each.from) || (taken.get(each.from) ?? 0);
      cursors.set(each.from, isInCut ? each.seq - 1 : sent);
    }
    const [firstSent] = departures;
    if (firstSent !== undefined) outSeq = firstSent.seq - 1;
    inbox = entry.inbox?.from ?? inbox;
  }
  return { cursors, outSeq, inbox };
}

/**
 * Letters that were posted and not taken: what was written later has no cause in the cut. What people
 * asked for is left out: it is answered where it was asked.
 */
export function lettersIn(
  posts: readonly Post[],
  at: Pick<CellReading, 'inboxEnd'> & Record<'cell' | 'tick' | 'after', number>,
): CellCut['letters'] {
  const waiting = posts.filter(({ seq }) => seq > at.after);
  // What was taken may have been dropped before the first of them was read, or between two.
  const isWhole = waiting.every(({ seq }, i) => seq === at.after + 1 + i);
  const isTrimmed = at.inboxEnd > (waiting.at(-1)?.seq ?? at.after);
  if (!isWhole || isTrimmed) throw unstable(at.cell, 'its inbox');
  return waiting.flatMap(({ id, body }) => {
    const written = postTick(body);
    return written > 0 && written <= at.tick ? [{ id, body }] : [];
  });
}

/** The world went on too far to be seen as it was. */
export function unstable(cell: number, what: string): LeaseholdError {
  return new LeaseholdError(
    'SNAPSHOT_UNSTABLE',
    `cell ${cell}: ${what} went on before the cut was read`,
    {
      field: `cell ${cell}`,
      value: what,
      remedy: 'Take the snapshot again; pods that are far behind its tick make this likely.',
    },
  );
}
