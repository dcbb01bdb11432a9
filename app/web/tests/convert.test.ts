import { EditorState } from "prosemirror-state";
import { describe, expect, it } from "vitest";
import { applyOps, diff, place, position } from "../src/editor/convert";
import { blockText, docFromRecord, schema, slotNode } from "../src/editor/schema";
import type { Document, Op, Slot } from "../src/generated/types";

const slot: Slot = { id: "s1", at: 3, finding: "f", measurement: "m", finding_revision: 1, shown: "12.3 mm", state: "verified" };
const part = { title_zh: "检查所见", title_en: "Findings", kind: "findings", is_required: true, marks: [] };
const document: Document = {
  id: "r",
  study: "1.2",
  template: "chest_ct",
  lang: "zh",
  revision: 4,
  blocks: [
    { ...part, id: "findings", text: "结节约\uFFFC，𠮷\n稳定。", slots: [slot] },
    { ...part, id: "impression", text: "", slots: [] },
  ],
};

/** Does what a person would do, asks for the ops, and does those to the first document. */
function roundTrip(change: (state: EditorState) => EditorState): Op[] {
  const before = EditorState.create({ doc: docFromRecord(document) });
  const after = change(before);
  const ops = diff(before.doc, after.doc);
  const { tr } = before;
  applyOps(tr, ops);
  expect(tr.doc.toJSON()).toEqual(after.doc.toJSON());
  return ops;
}

describe("the editor's document", () => {
  it("holds the record's text", () => {
    const doc = docFromRecord(document);
    expect(blockText(doc.child(0))).toBe(document.blocks[0]?.text);
    expect(doc.child(0).nodeAt(3)?.attrs["shown"]).toBe("12.3 mm");
    expect(position(doc, "findings", 6)).toBe(8);
    expect(place(doc, 8)).toEqual({ block: "findings", at: 6 });
    const impression = position(doc, "impression", 0) ?? -1;
    expect(place(doc, impression)).toEqual({ block: "impression", at: 0 });
  });

  it("tells typing", () => {
    expect(roundTrip((s) => s.apply(s.tr.insertText("新", 1)))).toEqual([{ op: "insert", block: "findings", at: 0, text: "新" }]);
  });

  it("tells replacing behind a sign of two units", () => {
    const ops = roundTrip((s) => s.apply(s.tr.insertText("变大", 9, 11)));
    expect(ops).toEqual([
      { op: "delete", block: "findings", at: 7, len: 2 },
      { op: "insert", block: "findings", at: 7, text: "变大" },
    ]);
  });

  it("tells a chip that goes, comes and is replaced", () => {
    expect(roundTrip((s) => s.apply(s.tr.delete(4, 5)))).toEqual([{ op: "delete", block: "findings", at: 3, len: 1 }]);
    const other = { ...slot, id: "s2", at: 0 };
    const put = roundTrip((s) => s.apply(s.tr.insert(s.doc.content.size - 1, [slotNode(other), schema.text("a")])));
    expect(put.map((op) => op.op)).toEqual(["insert_slot", "insert"]);
    const swapped = roundTrip((s) => s.apply(s.tr.replaceWith(4, 5, slotNode(other))));
    expect(swapped.map((op) => op.op)).toEqual(["delete", "insert_slot"]);
  });

  it("keeps control characters out", () => {
    const before = EditorState.create({ doc: docFromRecord(document) });
    const ops = diff(before.doc, before.apply(before.tr.insertText("a\u0007b", 1)).doc);
    expect(ops).toEqual([{ op: "insert", block: "findings", at: 0, text: "a b" }]);
  });
});
