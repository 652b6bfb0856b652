/**
 * How far cells had been read before the store went back or was restarted, and what became of it:
 * the same history again, another one, or nothing.
 */
import type { UnhealedCell } from '@leasehold/protocol';
import type { CellReading } from './reading.ts';

type Mark = {
  readonly seq: number;
  readonly hash: string;
  /** The cell was seen before this position afterwards. */
  isBack: boolean;
};

export class Marks {
  readonly #marks = new Map<number, Mark[]>();
  readonly #healed = new Set<number>();
  readonly #rewritten = new Set<number>();

  get healedCells(): number {
    return this.#healed.size;
  }

  get rewrittenCells(): number {
    return this.#rewritten.size;
  }

  put(cell: number, seq: number, hash: string): void {
    const marks = this.#marks.get(cell) ?? [];
    if (seq === 0 || marks.some((mark) => mark.seq === seq && mark.hash === hash)) return;
    marks.push({ seq, hash, isBack: false });
    this.#marks.set(cell, marks);
  }

  /** The surviving history of a cell has this hash at this position. False: it is another one. */
  pass(cell: number, seq: number, hash: string): boolean {
    const marks = this.#marks.get(cell);
    if (marks === undefined) return true;
    let isSame = true;
    for (const mark of marks.filter((each) => each.seq === seq)) {
      if (mark.hash !== hash) {
        this.#rewritten.add(cell);
        isSame = false;
      } else if (mark.isBack) this.#healed.add(cell);
    }
    this.#keep(
      cell,
      marks.filter((mark) => mark.seq !== seq),
    );
    return isSame;
  }

  /** The cell's log ends here. True: before a mark, so the store went back. */
  end(cell: number, seq: number): boolean {
    const behind = (this.#marks.get(cell) ?? []).filter((mark) => mark.seq > seq);
    for (const mark of behind) mark.isBack = true;
    return behind.length > 0;
  }

  /**
   * A cell was read whole: did it go back, or can nobody say, as its log no longer reaches down to
   * the mark? Then a cell that was never seen behind is let go, and one that was stays unhealed.
   */
  meet({ cell, meta, entries, checkpoints }: CellReading): 'same' | 'back' | 'unseen' {
    if (!this.#marks.has(cell)) return 'same';
    let isSame = true;
    const first = entries[0];
    if (first !== undefined) isSame = this.pass(cell, first.seq - 1, first.prevHash);
    for (const { seq, hash } of [...checkpoints, ...entries, meta]) {
      if (!this.pass(cell, seq, hash)) isSame = false;
    }
    if (this.end(cell, meta.seq) || !isSame) return 'back';
    const left = this.#marks.get(cell) ?? [];
    const kept = left.filter(({ isBack }) => isBack);
    this.#keep(cell, kept);
    return kept.length < left.length ? 'unseen' : 'same';
  }

  /** Cells seen behind their mark that were not seen to reach it again; `endSeqs` by cell. */
  unhealed(endSeqOf: (cell: number) => number): UnhealedCell[] {
    const cells: UnhealedCell[] = [];
    for (const [cell, marks] of this.#marks) {
      const seq = marks.reduce((most, mark) => (mark.isBack ? Math.max(most, mark.seq) : most), 0);
      if (seq > 0) cells.push({ cell, seq, endSeq: endSeqOf(cell) });
    }
    return cells.sort((a, b) => a.cell - b.cell);
  }

  #keep(cell: number, marks: Mark[]): void {
    if (marks.length === 0) this.#marks.delete(cell);
    else this.#marks.set(cell, marks);
  }
}
