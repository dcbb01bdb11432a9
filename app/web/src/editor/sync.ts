/**
 * Keeps the editor's text and the record's in step.
 *
 * Every change is sent at once (at most one batch under way, the next gathers meanwhile) and counts as kept only when
 * the record has it on disk. What others change (a chip that follows its measurement, dictation) is moved past the
 * changes that are still under way. Nothing here knows the editor.
 */
import type { Cursor, EditKept, EditSent, Op } from "../generated/types";
import { transform } from "./ops";

/** How long changes gather before they are sent. Units: ms. */
export const GATHER_MS = 80;
/** How long to wait before sending again what was not kept. Units: ms. */
export const AGAIN_MS = 1000;

/** Whether what is on the screen is on disk. */
export type Kept = "kept" | "sending" | "failed";

export interface Outside {
  /** Sends changes; resolves when they are on disk. */
  send(sent: EditSent): Promise<EditKept>;
  /** True when sending the same again may help. */
  mayRetry(error: unknown): boolean;
  /** Where the writer is. */
  cursor(): Cursor | null;
  /** What is typed and not handed over yet is pushed now. */
  settle(): void;
  /** Others' changes, as they are to be done to the local text. */
  others(ops: Op[]): void;
  /** A batch is on disk; batches are counted from 1. */
  batchKept(batch: number): void;
  /** The state changed. */
  state(kept: Kept, error: unknown): void;
  /** The record refuses what was written: read the report again. `text` is what was typed and is not kept. */
  lost(error: unknown, text: string): void;
}

interface Remote {
  revision: number;
  ops: Op[];
}

export class Sync {
  /** Number of the batch that gathers now. */
  batch = 1;
  private underWay: Op[] | null = null;
  private gathered: Op[] = [];
  private waiting: Remote[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;
  private idle: (() => void)[] = [];
  private isClosed = false;

  constructor(
    private readonly report: string,
    private revision: number,
    private readonly outside: Outside,
  ) {}

  /** Revision of the record's document that the local text is based on. */
  get base(): number {
    return this.revision;
  }

  /** True when everything is on disk. */
  get isIdle(): boolean {
    return this.underWay === null && this.gathered.length === 0;
  }

  /** Takes a local change. */
  push(ops: readonly Op[]): void {
    if (ops.length === 0 || this.isClosed) return;
    this.gathered.push(...ops);
    this.outside.state("sending", null);
    if (this.underWay === null) this.timer ??= setTimeout(() => void this.sendNow(), GATHER_MS);
  }

  /** Takes a change of others. */
  remote(revision: number, ops: readonly Op[]): void {
    this.waiting.push({ revision, ops: [...ops] });
    this.takeWaiting();
  }

  /** Resolves when everything is on disk. */
  flush(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    void this.sendNow();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  /** Sends what is left and takes no more. */
  async close(): Promise<void> {
    await this.flush();
    this.isClosed = true;
  }

  /** Sends what gathered. With `isAsking` even nothing is sent, since the answer brings what others did. */
  private async sendNow(isAsking = false): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.underWay !== null || (this.gathered.length === 0 && !isAsking)) return;
    const batch = this.batch;
    this.batch += 1;
    this.underWay = this.gathered;
    this.gathered = [];
    for (;;) {
      try {
        const sent = { report: this.report, base_revision: this.revision, ops: this.underWay, cursor: this.outside.cursor() };
        this.onKept(await this.outside.send(sent), batch);
        return;
      } catch (error) {
        this.outside.state("failed", error);
        if (!this.outside.mayRetry(error)) {
          this.giveUp(error);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** Nothing of what is still here can be kept: whoever waits goes on, and the text is handed back. */
  private giveUp(error: unknown): void {
    const ops = [...(this.underWay ?? []), ...this.gathered];
    this.underWay = null;
    this.gathered = [];
    this.isClosed = true;
    this.outside.lost(error, ops.map((op) => (op.op === "insert" ? op.text : "")).join(""));
    this.wakeIdle();
  }

  private wakeIdle(): void {
    const idle = this.idle;
    this.idle = [];
    for (const resolve of idle) resolve();
  }

  private onKept(kept: EditKept, batch: number): void {
    const mine = this.underWay ?? [];
    this.underWay = null;
    const [pastMine] = transform(kept.others, mine);
    this.takeOthers(pastMine);
    this.revision = kept.revision;
    this.outside.batchKept(batch);
    this.takeWaiting();
    if (this.gathered.length > 0) {
      void this.sendNow();
      return;
    }
    this.outside.state("kept", null);
    this.wakeIdle();
  }

  private takeOthers(ops: readonly Op[]): void {
    if (ops.length === 0) return;
    // Words of a composition that has just ended must be moved past the others' changes too.
    this.outside.settle();
    const [local, gathered] = transform(ops, this.gathered);
    this.gathered = gathered;
    this.outside.others(local);
  }

  private takeWaiting(): void {
    // While a batch is under way, its answer brings what came before it.
    if (this.underWay !== null) return;
    const waiting = this.waiting.sort((a, b) => a.revision - b.revision);
    this.waiting = [];
    for (const { revision, ops } of waiting) {
      if (revision <= this.revision) continue;
      if (revision > this.revision + 1) {
        void this.sendNow(true);
        return;
      }
      this.revision = revision;
      this.takeOthers(ops);
    }
  }
}
