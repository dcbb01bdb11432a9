/** A language of screens and reports. */
export type Lang = "zh" | "en";

/** An error told to a person. */
export interface Told {
  code: string;
  message: string;
  hint: string;
}

/** State of a slot against its measurement. */
export type SlotState = "verified" | "stale" | "gone";

/** A number bound to a measurement; one U+FFFC in the text. Positions are Unicode scalar values. */
export interface Slot {
  id: string;
  at: number;
  finding: string;
  measurement: string;
  finding_revision: number;
  shown: string;
  state: SlotState;
}

/** What a marked stretch of text claims. */
export interface Claim {
  finding: string | null;
  measurement: string | null;
  state: "verified" | "stale" | "contradicted" | "unsupported";
  ground?: string;
  meaning?: string;
  from_text?: boolean;
}

/** A marked stretch of text. */
export interface Mark {
  id: string;
  start: number;
  end: number;
  claim: Claim;
}

/** A section of a report. */
export interface Block {
  id: string;
  title_zh: string;
  title_en: string;
  kind: string;
  is_required: boolean;
  text: string;
  slots: Slot[];
  marks: Mark[];
}

/** A report's document at a revision. */
export interface Document {
  id: string;
  study: string;
  template: string;
  lang: Lang;
  revision: number;
  blocks: Block[];
}

/** One small change of a document. */
export type Op =
  | { op: "insert"; block: string; at: number; text: string }
  | { op: "delete"; block: string; at: number; len: number }
  | { op: "insert_slot"; block: string; slot: Slot }
  | { op: "update_slot"; slot: string; shown: string; finding_revision: number; state: SlotState }
  | { op: "add_mark"; block: string; mark: Mark }
  | { op: "set_claim"; mark: string; claim: Claim }
  | { op: "remove_mark"; mark: string };
