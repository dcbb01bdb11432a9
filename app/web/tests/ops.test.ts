import { describe, expect, it } from "vitest";
import { transform, scalars, movedBy } from "../src/editor/ops";
import { commonEnds, scalarFromUtf16, utf16FromScalar } from "../src/editor/positions";
import type { Op } from "../src/generated/types";

const block = "findings";
const insert = (at: number, text: string): Op => ({ op: "insert", block, at, text });
const remove = (at: number, len: number): Op => ({ op: "delete", block, at, len });

/** Does text ops on a plain text; enough to see that both orders agree. */
function done(text: string, ops: readonly Op[]): string {
  const chars = [...text];
  for (const op of ops) {
    if (op.op === "insert") chars.splice(op.at, 0, ...op.text);
    if (op.op === "delete") chars.splice(op.at, op.len);
  }
  return chars.join("");
}

describe("ops past each other", () => {
  it.each<[string, Op[], Op[], string]>([
    ["first stands first at the same place", [insert(1, "甲")], [insert(1, "乙")], "右甲乙肺结节"],
    ["text after text", [insert(0, "双")], [insert(4, "。")], "双右肺结节。"],
    ["text put into a deleted stretch stays", [insert(2, "下")], [remove(1, 2)], "右下节"],
    ["deletions that overlap", [remove(0, 3)], [remove(1, 3)], ""],
    ["several on each side", [insert(0, "a"), insert(1, "b")], [remove(0, 1), insert(3, "c")], "ab肺结节c"],
    ["signs beyond the basic plane count once", [insert(1, "𠮷𠮷")], [insert(2, "x")], "右𠮷𠮷肺x结节"],
  ])("%s", (_name, first, second, expected) => {
    const [firstMoved, secondMoved] = transform(first, second);
    expect(done(done("右肺结节", first), secondMoved)).toBe(expected);
    expect(done(done("右肺结节", second), firstMoved)).toBe(expected);
  });

  it("agrees whatever the two sides do", () => {
    let seed = 7;
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % n;
    };
    const side = (text: string, sign: string): Op[] => {
      const ops: Op[] = [];
      let now = text;
      for (let n = random(4) + 1; n > 0; n -= 1) {
        const length = scalars(now);
        const at = random(length + 1);
        const op = random(2) === 0 || at === length ? insert(at, sign.repeat(random(3) + 1)) : remove(at, 1 + random(length - at));
        ops.push(op);
        now = done(now, [op]);
      }
      return ops;
    };
    for (let round = 0; round < 2000; round += 1) {
      const text = "右肺上叶𠮷结节ab";
      const [first, second] = [side(text, "甲"), side(text, "乙")];
      const [firstMoved, secondMoved] = transform(first, second);
      expect(done(done(text, first), secondMoved)).toBe(done(done(text, second), firstMoved));
    }
  });

  it("takes the newer number of a chip", () => {
    const update = (revision: number): Op => ({ op: "update_slot", slot: "s", shown: `${revision}`, finding_revision: revision, state: "verified" });
    expect(transform([update(3)], [update(2)])).toEqual([[update(3)], []]);
    expect(transform([update(2)], [update(2)])).toEqual([[], [update(2)]]);
  });

  it("moves a cursor", () => {
    expect(movedBy(2, block, [insert(2, "ab")])).toBe(4);
    expect(movedBy(2, block, [insert(2, "ab")], true)).toBe(2);
    expect(movedBy(3, block, [remove(1, 4)])).toBe(1);
  });
});

describe("positions", () => {
  const text = "a𠮷b";
  it("counts signs, not units", () => {
    expect([0, 1, 3, 4].map((u) => scalarFromUtf16(text, u))).toEqual([0, 1, 2, 3]);
    expect([0, 1, 2, 3, 9].map((s) => utf16FromScalar(text, s))).toEqual([0, 1, 3, 4, 4]);
    expect(scalarFromUtf16(text, 2)).toBe(1);
  });
  it("never cuts a pair", () => {
    expect(commonEnds("𠮷", "𠮸")).toEqual({ start: 0, end: 0 });
    expect(commonEnds("ab", "aab")).toEqual({ start: 1, end: 1 });
    expect(commonEnds("\uFFFC", "\uFFFC", () => false)).toEqual({ start: 0, end: 0 });
  });
});
