/** The editor's document: the report's blocks, fixed, with text and chips in them. */
import { Schema, type Node } from "prosemirror-model";
import type { Block, Document, Slot, SlotState } from "../generated/types";

/** The character a slot occupies in the record's text. */
export const SLOT_CHAR = "\uFFFC";

export const schema = new Schema({
  nodes: {
    doc: { content: "block+" },
    text: { inline: true },
    slot: {
      inline: true,
      atom: true,
      draggable: false,
      attrs: {
        id: { validate: "string" },
        finding: { validate: "string" },
        measurement: { validate: "string" },
        finding_revision: { validate: "number" },
        shown: { validate: "string" },
        state: { validate: "string" },
      },
      leafText: (node) => String(node.attrs["shown"]),
      toDOM: (node) => {
        const { id, finding, shown, state } = node.attrs as SlotAttrs;
        const attrs = { class: `chip ${state}`, "data-testid": "chip", "data-slot": id, "data-finding": finding, "data-state": state };
        return ["span", attrs, ["span", { class: "shape", "aria-hidden": "true" }], ["span", { class: "shown" }, shown]];
      },
    },
    block: {
      content: "(text | slot)*",
      whitespace: "pre",
      isolating: true,
      defining: true,
      attrs: { id: { default: "" }, title: { default: "" }, kind: { default: "other" }, isRequired: { default: false } },
      toDOM: (node) => [
        "section",
        { class: "block", "data-block": String(node.attrs["id"]), "data-kind": String(node.attrs["kind"]) },
        ["h3", { contenteditable: "false" }, String(node.attrs["title"])],
        ["div", { class: "text", "data-testid": `block-${String(node.attrs["id"])}`, lang: "" }, 0],
      ],
    },
  },
});

/** What a chip carries. */
export type SlotAttrs = Omit<Slot, "at">;

/** A chip. */
export function slotNode(slot: Slot): Node {
  const { id, finding, measurement, finding_revision, shown, state } = slot;
  return schema.node("slot", { id, finding, measurement, finding_revision, shown, state } satisfies SlotAttrs & { state: SlotState });
}

/** The editor's form of the record's document. */
export function docFromRecord(document: Document): Node {
  return schema.node(
    "doc",
    null,
    document.blocks.map((block) => {
      const title = document.lang === "zh" ? block.title_zh : block.title_en;
      const attrs = { id: block.id, title, kind: block.kind, isRequired: block.is_required };
      return schema.node("block", attrs, inlineFromBlock(block));
    }),
  );
}

function inlineFromBlock(block: Block): Node[] {
  const out: Node[] = [];
  const slots = block.slots[Symbol.iterator]();
  for (const part of block.text.split(SLOT_CHAR).entries()) {
    const [index, text] = part;
    if (index > 0) {
      const slot = slots.next().value;
      if (slot) out.push(slotNode(slot));
    }
    if (text) out.push(schema.text(text));
  }
  return out;
}

/** The record's text of a block: each chip is one {@link SLOT_CHAR}. */
export function blockText(block: Node): string {
  return block.textBetween(0, block.content.size, "", () => SLOT_CHAR);
}

/** The block of an id and the position of its first character. */
export function findBlock(doc: Node, id: string): { node: Node; start: number } | null {
  let found: { node: Node; start: number } | null = null;
  doc.forEach((node, offset) => {
    if (node.attrs["id"] === id) found = { node, start: offset + 1 };
  });
  return found;
}

/** The chip of an id. */
export function findSlot(doc: Node, id: string): { node: Node; pos: number } | null {
  let found: { node: Node; pos: number } | null = null;
  doc.descendants((node, pos) => {
    if (node.type.name === "slot" && node.attrs["id"] === id) found = { node, pos };
    return found === null;
  });
  return found;
}
