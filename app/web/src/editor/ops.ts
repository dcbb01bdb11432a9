/**
 * Ops past each other, as `mj_report::rebase` does it: the page needs the same answer as the record, or the two
 * texts would part. Positions are Unicode scalar values. The shared cases in `tests/ops.test.ts` hold both to it.
 */
import type { Mark, Op } from "../generated/types";

/** Length in Unicode scalar values. */
export function scalars(text: string): number {
  let n = 0;
  for (const c of text) n += c.length > 0 ? 1 : 0;
  return n;
}

/** Both sides moved past each other: text of `first` stands first at the same place. */
export function transform(first: readonly Op[], second: readonly Op[]): [Op[], Op[]] {
  let rest: Op[] = [...second];
  const firstOut: Op[] = [];
  for (const op of first) {
    let walking: Op[] = [op];
    const moved: Op[] = [];
    for (const other of rest) {
      const [w, m] = pastOne(walking, other);
      walking = w;
      moved.push(...m);
    }
    firstOut.push(...walking);
    rest = moved;
  }
  return [firstOut, rest];
}

function pastOne(first: readonly Op[], second: Op): [Op[], Op[]] {
  const [only] = first;
  if (only === undefined) return [[], [second]];
  return first.length === 1 ? pair(only, second) : transform(first, [second]);
}

function pair(first: Op, second: Op): [Op[], Op[]] {
  return sameAnchor(first, second) ?? [past(first, second, true), past(second, first, false)];
}

/** Conflicts over one slot or mark, which positions cannot decide. */
function sameAnchor(first: Op, second: Op): [Op[], Op[]] | null {
  if (first.op === "update_slot" && second.op === "update_slot" && first.slot === second.slot) {
    return first.finding_revision > second.finding_revision ? [[first], []] : [[], [second]];
  }
  if (first.op === "set_claim" && second.op === "set_claim" && first.mark === second.mark) return [[], [second]];
  if (first.op === "insert_slot" && second.op === "insert_slot" && first.slot.id === second.slot.id) {
    return [[{ op: "delete", block: second.block, at: second.slot.at, len: 1 }, first], []];
  }
  if (first.op === "add_mark" && second.op === "add_mark" && first.mark.id === second.mark.id) {
    return [[{ op: "remove_mark", mark: second.mark.id }, first], []];
  }
  if (first.op === "insert_slot" && second.op === "update_slot" && first.slot.id === second.slot) return [[first], []];
  if (first.op === "update_slot" && second.op === "insert_slot" && first.slot === second.slot.id) return [[], [second]];
  if (first.op === "add_mark" && (second.op === "set_claim" || second.op === "remove_mark") && first.mark.id === second.mark) {
    return [[first], []];
  }
  if ((first.op === "set_claim" || first.op === "remove_mark") && second.op === "add_mark" && first.mark === second.mark.id) {
    return [[], [second]];
  }
  return null;
}

function past(op: Op, over: Op, isFirst: boolean): Op[] {
  switch (over.op) {
    case "insert":
      return pastInsert(op, over.block, over.at, scalars(over.text), isFirst);
    case "insert_slot":
      return pastInsert(op, over.block, over.slot.at, 1, isFirst);
    case "delete":
      return pastDelete(op, over.block, over.at, over.len);
    default:
      return [op];
  }
}

function pastInsert(op: Op, block: string, overAt: number, added: number, isFirst: boolean): Op[] {
  const place = (at: number) => (at > overAt || (at === overAt && !isFirst) ? at + added : at);
  if (op.op === "insert" && op.block === block) return [{ ...op, at: place(op.at) }];
  if (op.op === "insert_slot" && op.block === block) return [{ ...op, slot: { ...op.slot, at: place(op.slot.at) } }];
  if (op.op === "delete" && op.block === block) {
    if (overAt > op.at && overAt < op.at + op.len) {
      // A deletion leaves alone what someone else put into its middle.
      const before = overAt - op.at;
      return [
        { ...op, len: before },
        { ...op, at: op.at + added, len: op.len - before },
      ];
    }
    return [{ ...op, at: shiftedByInsert(op.at, overAt, added) }];
  }
  if (op.op === "add_mark" && op.block === block) return [{ ...op, mark: markAfterInsert(op.mark, overAt, added) }];
  return [op];
}

function pastDelete(op: Op, block: string, overAt: number, overLen: number): Op[] {
  const place = (at: number) => shiftedByDelete(at, overAt, overLen);
  if (op.op === "insert" && op.block === block) return [{ ...op, at: place(op.at) }];
  if (op.op === "insert_slot" && op.block === block) return [{ ...op, slot: { ...op.slot, at: place(op.slot.at) } }];
  if (op.op === "delete" && op.block === block) {
    const [start, end] = [place(op.at), place(op.at + op.len)];
    return start === end ? [] : [{ ...op, at: start, len: end - start }];
  }
  if (op.op === "add_mark" && op.block === block) {
    const mark = markAfterDelete(op.mark, overAt, overLen);
    return mark ? [{ ...op, mark }] : [];
  }
  return [op];
}

/** A place after text was put in: at the same place it moves on. */
export function shiftedByInsert(at: number, overAt: number, added: number): number {
  return at >= overAt ? at + added : at;
}

/** A place after text was taken out. */
export function shiftedByDelete(at: number, overAt: number, len: number): number {
  if (at <= overAt) return at;
  return at >= overAt + len ? at - len : overAt;
}

/** A mark is held by its first and last character. */
export function markAfterInsert(mark: Mark, at: number, added: number): Mark {
  return {
    ...mark,
    start: at <= mark.start ? mark.start + added : mark.start,
    end: at < mark.end ? mark.end + added : mark.end,
  };
}

/** A mark goes when its first or last character does. */
export function markAfterDelete(mark: Mark, at: number, len: number): Mark | null {
  const isGone = (place: number) => place >= at && place < at + len;
  if (isGone(mark.start) || isGone(mark.end - 1)) return null;
  return { ...mark, start: shiftedByDelete(mark.start, at, len), end: shiftedByDelete(mark.end, at, len) };
}

/** A position after ops of others; `stays` keeps it before text put in at the same place. */
export function movedBy(at: number, block: string, ops: readonly Op[], stays = false): number {
  let place = at;
  for (const op of ops) {
    if (op.op === "insert" && op.block === block) {
      if (place > op.at || (place === op.at && !stays)) place += scalars(op.text);
    } else if (op.op === "insert_slot" && op.block === block) {
      if (place > op.slot.at || (place === op.slot.at && !stays)) place += 1;
    } else if (op.op === "delete" && op.block === block) {
      place = shiftedByDelete(place, op.at, op.len);
    }
  }
  return place;
}
