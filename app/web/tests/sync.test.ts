import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Sync, type Kept, type Outside } from "../src/editor/sync";
import { transform } from "../src/editor/ops";
import type { EditKept, EditSent, Op } from "../src/generated/types";

const block = "findings";
const insert = (at: number, text: string): Op => ({ op: "insert", block, at, text });

function done(text: string, ops: readonly Op[]): string {
  const chars = [...text];
  for (const op of ops) {
    if (op.op === "insert") chars.splice(op.at, 0, ...op.text);
    if (op.op === "delete") chars.splice(op.at, op.len);
  }
  return chars.join("");
}

/** A record as far as one text goes, and a page beside it. */
class Pair {
  text = "";
  history: Op[][] = [];
  local = "";
  states: Kept[] = [];
  refusals = 0;
  /** Code of a refusal for good, and what was handed back then. */
  finalCode = "";
  lost: string[] = [];
  /** Typed by an input method whose composition has just ended: on the screen, not handed over yet. */
  composed: Op[] = [];
  readonly sync: Sync;

  constructor() {
    const outside: Outside = {
      send: (sent) => this.apply(sent),
      mayRetry: (error) => (error as { code: string }).code !== this.finalCode,
      cursor: () => null,
      settle: () => this.sync.push(this.composed.splice(0)),
      others: (ops) => (this.local = done(this.local, ops)),
      batchKept: () => undefined,
      state: (kept) => this.states.push(kept),
      lost: (_error, text) => this.lost.push(text),
    };
    this.sync = new Sync("r", 0, outside);
  }

  type(op: Op): void {
    this.local = done(this.local, [op]);
    this.sync.push([op]);
  }

  other(ops: Op[]): void {
    this.text = done(this.text, ops);
    this.history.push(ops);
    const revision = this.history.length;
    setTimeout(() => this.sync.remote(revision, ops), 5);
  }

  private async apply(sent: EditSent): Promise<EditKept> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (this.finalCode !== "") throw { code: this.finalCode };
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw { code: "record.disk" };
    }
    const others = this.history.slice(sent.base_revision).flat();
    const [, ops] = transform(others, sent.ops);
    if (ops.length === 0) return { revision: this.history.length, ops, others };
    this.text = done(this.text, ops);
    this.history.push(ops);
    return { revision: this.history.length, ops, others };
  }
}

describe("sync", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("gathers, sends and says kept", async () => {
    const pair = new Pair();
    pair.type(insert(0, "右"));
    pair.type(insert(1, "肺"));
    expect(pair.text).toBe("");
    await vi.advanceTimersByTimeAsync(200);
    expect(pair.text).toBe("右肺");
    expect(pair.history.length).toBe(1);
    expect(pair.states.at(-1)).toBe("kept");
  });

  it("meets others before, during and after its own", async () => {
    const pair = new Pair();
    pair.type(insert(0, "结节"));
    await vi.advanceTimersByTimeAsync(90);
    pair.other([insert(0, "右肺")]);
    pair.type(insert(2, "。"));
    await vi.advanceTimersByTimeAsync(10);
    pair.type(insert(0, "见"));
    pair.other([insert(0, "双")]);
    await vi.advanceTimersByTimeAsync(500);
    expect(pair.local).toBe(pair.text);
    expect(pair.sync.isIdle).toBe(true);
  });

  it("asks for what it was not told", async () => {
    const pair = new Pair();
    pair.text = "右肺结节";
    pair.history = [[insert(0, "结节")], [insert(0, "右肺")]];
    pair.sync.remote(2, []);
    await vi.advanceTimersByTimeAsync(100);
    expect(pair.local).toBe("右肺结节");
  });

  it("tries again and loses nothing", async () => {
    const pair = new Pair();
    pair.refusals = 3;
    pair.type(insert(0, "右"));
    await vi.advanceTimersByTimeAsync(500);
    pair.type(insert(1, "肺"));
    expect(pair.states).toContain("failed");
    await vi.advanceTimersByTimeAsync(5000);
    expect(pair.text).toBe("右肺");
    expect(pair.states.at(-1)).toBe("kept");
  });

  it("hands refused text back and lets nobody wait for ever", async () => {
    const pair = new Pair();
    pair.finalCode = "report.signed";
    pair.type(insert(0, "右肺"));
    await vi.advanceTimersByTimeAsync(90);
    pair.type(insert(2, "结节"));
    let isDone = false;
    void pair.sync.flush().then(() => (isDone = true));
    await vi.advanceTimersByTimeAsync(100);
    expect(pair.lost).toEqual(["右肺结节"]);
    expect(isDone).toBe(true);
  });

  it("moves what was just composed past the others' changes", async () => {
    const pair = new Pair();
    pair.type(insert(0, "结节"));
    await vi.advanceTimersByTimeAsync(200);
    pair.local = done(pair.local, [insert(2, "五毫米")]);
    pair.composed = [insert(2, "五毫米")];
    pair.other([insert(0, "右肺")]);
    await vi.advanceTimersByTimeAsync(500);
    expect(pair.local).toBe("右肺结节五毫米");
    expect(pair.text).toBe(pair.local);
  });

  it("agrees with the record after a long disorderly while", async () => {
    const pair = new Pair();
    let seed = 3;
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return (seed >> 8) % n;
    };
    for (let round = 0; round < 400; round += 1) {
      const mine = [...pair.local].length;
      const theirs = [...pair.text].length;
      if (random(3) > 0) pair.type(mine > 4 && random(3) === 0 ? { op: "delete", block, at: random(mine), len: 1 } : insert(random(mine + 1), "甲"));
      else pair.other(theirs > 4 && random(3) === 0 ? [{ op: "delete", block, at: random(theirs), len: 1 }] : [insert(random(theirs + 1), "乙")]);
      await vi.advanceTimersByTimeAsync(random(60));
    }
    await vi.advanceTimersByTimeAsync(2000);
    expect(pair.local).toBe(pair.text);
  });
});
