/** Between the editor's transactions and the record's ops. */
import type { Node } from "prosemirror-model";
import type { Transaction } from "prosemirror-state";
import type { Op } from "../generated/types";
import { scalars } from "./ops";
import { commonEnds, scalarFromUtf16, utf16FromScalar } from "./positions";
import { SLOT_CHAR, blockText, findBlock, findSlot, schema, slotNode, type SlotAttrs } from "./schema";

/** What turns one document into another, block by block. */
export function diff(before: Node, after: Node): Op[] {
  const ops: Op[] = [];
  after.forEach((node) => {
    const old = findBlock(before, String(node.attrs["id"]));
    if (old && !old.node.eq(node)) ops.push(...diffBlock(String(node.attrs["id"]), old.node, node));
  });
  return ops;
}

function diffBlock(block: string, before: Node, after: Node): Op[] {
  const [a, b] = [blockText(before), blockText(after)];
  const id = (node: Node, at: number) => node.nodeAt(at)?.attrs["id"] as unknown;
  const { start, end } = commonEnds(a, b, (i, j) => a[i] !== SLOT_CHAR || id(before, i) === id(after, j));
  const ops: Op[] = [];
  let at = scalarFromUtf16(a, start);
  const removed = a.slice(start, a.length - end);
  if (removed) ops.push({ op: "delete", block, at, len: scalars(removed) });
  after.nodesBetween(start, b.length - end, (node, pos) => {
    if (node.type === schema.nodes.slot) {
      ops.push({ op: "insert_slot", block, slot: { ...(node.attrs as SlotAttrs), at } });
      at += 1;
    } else if (node.isText) {
      const text = (node.text ?? "").slice(Math.max(0, start - pos), Math.max(0, b.length - end - pos));
      if (text) ops.push({ op: "insert", block, at, text: withoutForbidden(text) });
      at += scalars(text);
    }
  });
  return ops;
}

/** Control characters have no place in a report; each becomes a blank, so that positions stay. */
function withoutForbidden(text: string): string {
  return text.replace(/[\uFFFC\u0000-\u0008\u000B-\u001F\u007F-\u009F]/gu, " ");
}

/** Text from outside: line ends become one kind, control characters go. */
export function cleaned(text: string): string {
  return text.replace(/\r\n?/gu, "\n").replace(/[\uFFFC\u0000-\u0008\u000B-\u001F\u007F-\u009F]/gu, "");
}

/** Does the record's ops in a transaction. Marks are no part of the document: see `marks.ts`. */
export function applyOps(tr: Transaction, ops: readonly Op[]): void {
  for (const op of ops) applyOp(tr, op);
}

function applyOp(tr: Transaction, op: Op): void {
  if (op.op === "update_slot") {
    const found = findSlot(tr.doc, op.slot);
    if (!found) return;
    const attrs = { ...found.node.attrs, shown: op.shown, finding_revision: op.finding_revision, state: op.state };
    tr.setNodeMarkup(found.pos, null, attrs);
  } else if (op.op === "insert" && op.text) {
    const pos = position(tr.doc, op.block, op.at);
    if (pos !== null) tr.insert(pos, schema.text(op.text));
  } else if (op.op === "insert_slot") {
    const pos = position(tr.doc, op.block, op.slot.at);
    if (pos !== null) tr.insert(pos, slotNode(op.slot));
  } else if (op.op === "delete") {
    const [from, to] = [position(tr.doc, op.block, op.at), position(tr.doc, op.block, op.at + op.len)];
    if (from !== null && to !== null) tr.delete(from, to);
  }
}

/** The editor's position of a record's position. */
export function position(doc: Node, block: string, at: number): number | null {
  const found = findBlock(doc, block);
  return found && found.start + utf16FromScalar(blockText(found.node), at);
}

/** The record's position of an editor's position; `null` outside every block. */
export function place(doc: Node, pos: number): { block: string; at: number } | null {
  const resolved = doc.resolve(pos);
  if (resolved.depth < 1) return null;
  const block = resolved.node(1);
  return { block: String(block.attrs["id"]), at: scalarFromUtf16(blockText(block), pos - resolved.start(1)) };
}
