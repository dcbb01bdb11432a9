/** The report's editor: the view, its keys, and its tie to the record. */
import { keymap } from "prosemirror-keymap";
import { Fragment, Slice, type Node } from "prosemirror-model";
import { EditorState, Selection, TextSelection, type Command, type Transaction } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import type { Document, Cursor, EditKept, EditSent, Op, ReportView } from "../generated/types";
import { applyOps, cleaned, diff, place } from "./convert";
import { overText, overTextKey, type OverText } from "./marks";
import { transform } from "./ops";
import { blockText, docFromRecord, schema, SLOT_CHAR } from "./schema";
import { Sync, type Kept } from "./sync";

export interface EditorOutside {
  send(sent: EditSent): Promise<EditKept>;
  mayRetry(error: unknown): boolean;
  undo(report: string): Promise<EditKept>;
  redo(report: string): Promise<EditKept>;
  cursorMoved(cursor: Cursor): void;
  chipChosen(finding: string): void;
  kept(kept: Kept, error: unknown): void;
  /** The record refuses what was written; the text of it that would be gone. */
  lost(error: unknown, text: string): void;
  sign(): void;
}

/** How long the cursor rests before the program is told. Units: ms. */
const CURSOR_MS = 60;

export class ReportEditor {
  readonly view: EditorView;
  private readonly sync: Sync;
  /** The document whose ops have been handed to `sync`; behind the view while an input method composes. */
  private shadow: Node;
  /** Ops of others that wait for the end of a composition. */
  private held: Op[] = [];
  private cursorTimer: ReturnType<typeof setTimeout> | null = null;
  private isEditable: boolean;

  constructor(
    private readonly host: HTMLElement,
    private readonly report: ReportView,
    private readonly outside: EditorOutside,
  ) {
    this.isEditable = report.state === "draft";
    this.sync = new Sync(report.id, report.document.revision, {
      send: (sent) => outside.send(sent),
      mayRetry: (error) => outside.mayRetry(error),
      cursor: () => this.cursor(),
      settle: () => this.settle(),
      others: (ops) => this.takeOthers(ops),
      batchKept: (batch) => this.view.dispatch(this.view.state.tr.setMeta(overTextKey, { kept: batch } satisfies OverText)),
      state: (kept, error) => outside.kept(kept, error),
      lost: (error, text) => {
        // Nothing more is kept here: the report must be read again before anyone writes on.
        this.isEditable = false;
        this.view.setProps({});
        outside.lost(error, text);
      },
    });
    const doc = docFromRecord(report.document);
    this.shadow = doc;
    const state = EditorState.create({
      doc,
      selection: inFindings(doc),
      plugins: [keymap(this.keys()), overText(report.document, () => this.sync.batch)],
    });
    this.view = new EditorView(this.host, {
      state,
      editable: () => this.isEditable,
      attributes: { class: "report-text", "data-testid": "report-editor", spellcheck: "false" },
      dispatchTransaction: (tr) => this.dispatch(tr),
      handleTextInput: (view, from, to, text) => replaceAcross(view.state, from, to, text, (tr) => view.dispatch(tr)),
      handlePaste: (view, event, slice) => this.paste(view, event, slice),
      handleDrop: () => true,
      handleClickOn: (_view, _pos, node) => this.clicked(node),
      handleDOMEvents: {
        compositionend: () => {
          this.settleSoon();
          return false;
        },
      },
      clipboardTextSerializer: (slice) => slice.content.textBetween(0, slice.content.size, "\n", (node) => String(node.attrs["shown"])),
    });
    this.cursorSoon();
  }

  /** Takes a change that others made to this report. */
  remote(revision: number, ops: readonly Op[]): void {
    this.sync.remote(revision, ops);
  }

  /** Puts text in at the cursor, as if it had been typed. */
  insertText(text: string): void {
    const { state } = this.view;
    const { from, to } = state.selection;
    if (!replaceAcross(state, from, to, cleaned(text), (tr) => this.view.dispatch(tr))) {
      this.view.dispatch(state.tr.insertText(cleaned(text), from, to));
    }
    this.view.focus();
  }

  /** Puts a phrase at the end of a block, on a line of its own. */
  appendToBlock(block: string, text: string): void {
    const { state } = this.view;
    state.doc.forEach((node, offset) => {
      if (node.attrs["id"] !== block) return;
      const before = blockText(node);
      const glue = before === "" || before.endsWith("\n") ? "" : "\n";
      this.view.dispatch(state.tr.insertText(glue + cleaned(text), offset + 1 + node.content.size));
    });
    this.view.focus();
  }

  /** Everything typed is on disk. */
  async flush(): Promise<void> {
    this.settle();
    await this.sync.flush();
  }

  /** Ends a composition and puts everything on disk. */
  async finish(): Promise<void> {
    this.view.dom.blur();
    while (this.view.composing) await new Promise((resolve) => setTimeout(resolve, 20));
    await this.flush();
  }

  async undo(): Promise<void> {
    await this.step(this.outside.undo);
  }

  async redo(): Promise<void> {
    await this.step(this.outside.redo);
  }

  focus(): void {
    this.view.focus();
  }

  /** Selects a stretch of a block and shows it. Positions as in the record. */
  select(block: string, start: number, end: number): void {
    const tr = this.view.state.tr;
    this.view.state.doc.forEach((node, offset) => {
      if (node.attrs["id"] !== block) return;
      const unit = (at: number) => offset + 1 + Math.min([...blockText(node)].slice(0, Math.max(0, at)).join("").length, node.content.size);
      tr.setSelection(TextSelection.create(tr.doc, unit(start), unit(end)));
    });
    this.view.dispatch(tr.scrollIntoView());
    this.view.focus();
  }

  async destroy(): Promise<void> {
    this.settle();
    const done = this.sync.close();
    if (this.cursorTimer !== null) clearTimeout(this.cursorTimer);
    this.view.destroy();
    await done;
  }

  private cursor(): Cursor | null {
    const at = place(this.view.state.doc, this.view.state.selection.head);
    return at && { report: this.report.id, revision: this.sync.base, ...at };
  }

  /** Draws the claims as the record has them; not while something typed is on its way to it. */
  takeClaims(record: Document): void {
    if (this.view.isDestroyed || !this.sync.isIdle || record.id !== this.report.id || record.revision !== this.sync.base) return;
    this.view.dispatch(this.view.state.tr.setMeta(overTextKey, { record } satisfies OverText));
  }

  private dispatch(tr: Transaction): void {
    const isOthers = (tr.getMeta(overTextKey) as OverText | undefined)?.ops !== undefined;
    // Blocks are the record's: a change that would join or remove one is not done.
    if (tr.docChanged && !isOthers && !sameBlocks(tr.before, tr.doc)) return;
    this.view.updateState(this.view.state.apply(tr));
    if (isOthers) return;
    if (tr.docChanged && !this.view.composing) this.settle();
    if (tr.selectionSet || tr.docChanged) this.cursorSoon();
  }

  /** Hands over what changed since the last time, and takes what waited meanwhile. */
  private settle(): void {
    if (this.view.isDestroyed || this.view.composing) return;
    const mine = diff(this.shadow, this.view.state.doc);
    const [others, moved] = transform(this.held, mine);
    this.held = [];
    if (others.length > 0) this.apply(others);
    this.shadow = this.view.state.doc;
    this.sync.push(moved);
  }

  /** Settles once the view has taken the composed text, which it does a little after the event. */
  private settleSoon(): void {
    setTimeout(() => {
      if (this.view.isDestroyed) return;
      if (this.view.composing) this.settleSoon();
      else this.settle();
    }, 30);
  }

  private takeOthers(ops: Op[]): void {
    if (this.view.isDestroyed) return;
    if (this.view.composing) {
      // A change under the input method would break its composition.
      this.held.push(...ops);
      return;
    }
    this.settle();
    this.apply(ops);
    this.shadow = this.view.state.doc;
  }

  private apply(ops: readonly Op[]): void {
    const { tr } = this.view.state;
    applyOps(tr, ops);
    this.view.dispatch(tr.setMeta(overTextKey, { ops } satisfies OverText));
  }

  private async step(how: (report: string) => Promise<EditKept>): Promise<void> {
    await this.flush();
    try {
      const kept = await how(this.report.id);
      this.sync.remote(kept.revision, kept.ops);
    } catch (error) {
      this.outside.kept("failed", error);
    }
  }

  private cursorSoon(): void {
    this.cursorTimer ??= setTimeout(() => {
      this.cursorTimer = null;
      // While text is under way, the batch itself carries the cursor.
      const cursor = this.sync.isIdle && !this.view.isDestroyed ? this.cursor() : null;
      if (cursor) this.outside.cursorMoved(cursor);
    }, CURSOR_MS);
  }

  private clicked(node: Node): boolean {
    if (node.type !== schema.nodes.slot) return false;
    this.outside.chipChosen(String(node.attrs["finding"]));
    return false;
  }

  private paste(view: EditorView, event: ClipboardEvent, slice: Slice): boolean {
    const inside = slice.content.firstChild;
    const { from, to } = view.state.selection;
    if (inside && inside.type === schema.nodes.block && slice.content.childCount === 1 && hasSlot(inside)) {
      const tr = deleteAcross(view.state.tr, from, to);
      const pasted = renewed(inside.content);
      tr.insert(from, pasted);
      view.dispatch(tr.setSelection(TextSelection.create(tr.doc, from + pasted.size)));
      return true;
    }
    const text = cleaned(event.clipboardData?.getData("text/plain") ?? "");
    if (text) this.insertText(text);
    return true;
  }

  private keys(): Record<string, Command> {
    const doAnd = (action: () => void): Command => () => (action(), true);
    const erase =
      (other: Command): Command =>
      (state, dispatch, view) => {
        const { from, to, empty } = state.selection;
        if (empty || state.doc.resolve(from).sameParent(state.doc.resolve(to))) return other(state, dispatch, view);
        dispatch?.(deleteAcross(state.tr, from, to));
        return true;
      };
    const enter: Command = (state, dispatch) => {
      const { from, to } = state.selection;
      const tr = deleteAcross(state.tr, from, to);
      dispatch?.(tr.insertText("\n", from).scrollIntoView());
      return true;
    };
    return {
      Enter: enter,
      "Shift-Enter": enter,
      Backspace: erase(() => false),
      Delete: erase(() => false),
      "Mod-x": erase(() => false),
      Tab: toBlock(1),
      "Shift-Tab": toBlock(-1),
      "Mod-z": doAnd(() => void this.undo()),
      "Mod-Shift-z": doAnd(() => void this.redo()),
      "Mod-y": doAnd(() => void this.redo()),
      "Mod-Enter": doAnd(() => this.outside.sign()),
    };
  }
}

/** Where writing begins: behind the findings. */
function inFindings(doc: Node): Selection {
  let at: number | null = null;
  doc.forEach((node, offset) => {
    if (at === null && node.attrs["kind"] === "findings") at = offset + 1 + node.content.size;
  });
  return at === null ? Selection.atEnd(doc) : TextSelection.create(doc, at);
}

/** The same blocks in the same order. */
function sameBlocks(before: Node, after: Node): boolean {
  if (before.childCount !== after.childCount) return false;
  let same = true;
  before.forEach((node, _offset, index) => {
    same &&= node.attrs["id"] === after.child(index).attrs["id"];
  });
  return same;
}

/** Takes a stretch out that may reach over several blocks, which all stay. */
function deleteAcross(tr: Transaction, from: number, to: number): Transaction {
  const ranges: [number, number][] = [];
  tr.doc.forEach((node, offset) => {
    const [start, end] = [Math.max(from, offset + 1), Math.min(to, offset + 1 + node.content.size)];
    if (end > start) ranges.push([start, end]);
  });
  for (const [start, end] of ranges.reverse()) tr.delete(start, end);
  return tr;
}

/** Typing over a selection that reaches over several blocks. */
function replaceAcross(state: EditorState, from: number, to: number, text: string, dispatch: (tr: Transaction) => void): boolean {
  if (state.doc.resolve(from).sameParent(state.doc.resolve(to))) return false;
  const tr = deleteAcross(state.tr, from, to).insertText(text, from);
  dispatch(tr.setSelection(TextSelection.create(tr.doc, from + text.length)).scrollIntoView());
  return true;
}

function hasSlot(node: Node): boolean {
  return node.textBetween(0, node.content.size, "", () => SLOT_CHAR).includes(SLOT_CHAR);
}

/** Pasted chips are chips of their own. */
function renewed(content: Fragment): Fragment {
  const nodes: Node[] = [];
  content.forEach((node) => {
    if (node.type === schema.nodes.slot) nodes.push(schema.node("slot", { ...node.attrs, id: crypto.randomUUID() }));
    else if (node.isText && node.text) nodes.push(schema.text(cleaned(node.text)));
  });
  return Fragment.from(nodes);
}

function toBlock(step: number): Command {
  return (state, dispatch) => {
    const index = state.selection.$head.index(0) + step;
    if (index < 0 || index >= state.doc.childCount) return true;
    let pos = 0;
    state.doc.forEach((node, offset, at) => {
      if (at === index) pos = offset + 1 + node.content.size;
    });
    dispatch?.(state.tr.setSelection(TextSelection.create(state.doc, pos)).scrollIntoView());
    return true;
  };
}
