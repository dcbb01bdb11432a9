/** What is drawn over the text: claims, and text that is not on disk yet. */
import type { Node } from "prosemirror-model";
import { Plugin, PluginKey, type Transaction } from "prosemirror-state";
import { Decoration, DecorationSet } from "prosemirror-view";
import type { Document, Mark, Op } from "../generated/types";
import { position } from "./convert";

/** What a transaction tells the decorations. */
export interface OverText {
  /** Ops of others that the transaction does. */
  ops?: readonly Op[];
  /** Batches up to this one are on disk. */
  kept?: number;
  /** The document as the record has it, of the same text: its claims take the place of those that are drawn. */
  record?: Document;
}

export const overTextKey = new PluginKey<DecorationSet>("over-text");

/** Decorations for a document; `batch` tells the number of the batch that gathers. */
export function overText(document: Document, batch: () => number): Plugin<DecorationSet> {
  return new Plugin<DecorationSet>({
    key: overTextKey,
    state: {
      init: (_, state) => DecorationSet.create(state.doc, initial(document, state.doc)),
      apply: (tr, set) => next(tr, set, batch()),
    },
    props: { decorations: (state) => overTextKey.getState(state) },
  });
}

function initial(document: Document, doc: Node): Decoration[] {
  return document.blocks.flatMap((block) => block.marks.flatMap((mark) => claim(doc, block.id, mark)));
}

function claim(doc: Node, block: string, mark: Mark): Decoration[] {
  const [from, to] = [position(doc, block, mark.start), position(doc, block, mark.end)];
  if (from === null || to === null) return [];
  return [Decoration.inline(from, to, { class: `claim ${mark.claim.state}` }, { mark: mark.id })];
}

function next(tr: Transaction, before: DecorationSet, batch: number): DecorationSet {
  const meta = tr.getMeta(overTextKey) as OverText | undefined;
  // Of its own changes the record tells what became of the marks.
  const cut = meta?.ops === undefined ? before.find(undefined, undefined, (spec) => typeof spec["mark"] === "string").filter((d) => isCut(tr, d)) : [];
  let set = before.remove(cut).map(tr.mapping, tr.doc);
  if (meta?.kept !== undefined) {
    const kept = meta.kept;
    set = set.remove(set.find(undefined, undefined, (spec) => typeof spec["batch"] === "number" && spec["batch"] <= kept));
  }
  if (meta?.record) {
    set = set.remove(set.find(undefined, undefined, (spec) => typeof spec["mark"] === "string")).add(tr.doc, initial(meta.record, tr.doc));
  }
  for (const op of meta?.ops ?? []) set = withOp(set, tr.doc, op);
  if (tr.docChanged && meta?.ops === undefined) set = set.add(tr.doc, fresh(tr, batch));
  return set;
}

/** A mark goes when its first or last character does, as in the record. */
function isCut(tr: Transaction, mark: Decoration): boolean {
  return tr.mapping.mapResult(mark.from, 1).deletedAfter || tr.mapping.mapResult(mark.to, -1).deletedBefore;
}

function withOp(set: DecorationSet, doc: Node, op: Op): DecorationSet {
  const of = (id: string) => set.find(undefined, undefined, (spec) => spec["mark"] === id);
  if (op.op === "add_mark") return set.add(doc, claim(doc, op.block, op.mark));
  if (op.op === "remove_mark") return set.remove(of(op.mark));
  if (op.op === "set_claim") {
    const old = of(op.mark);
    const again = old.map((d) => Decoration.inline(d.from, d.to, { class: `claim ${op.claim.state}` }, { mark: op.mark }));
    return set.remove(old).add(doc, again);
  }
  return set;
}

/** Text this transaction put in, which is not on disk yet. */
function fresh(tr: Transaction, batch: number): Decoration[] {
  const out: Decoration[] = [];
  tr.mapping.maps.forEach((map, index) => {
    const rest = tr.mapping.slice(index + 1);
    map.forEach((_from, _to, start, end) => {
      const [from, to] = [rest.map(start, -1), rest.map(end, 1)];
      if (to > from) out.push(Decoration.inline(from, to, { class: "unkept" }, { batch }));
    });
  });
  return out;
}
