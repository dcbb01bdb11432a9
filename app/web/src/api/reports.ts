import type { CheckLine, Cursor, Document, EditKept, EditSent, Lang, PhraseLine, ReasonSent, ReportView, SignedView } from "../generated/types";
import { call } from "./invoke";

export const newReport = (study: string, template: string, lang: Lang) => call<ReportView>("new_report", { study, template, lang });
export const report = (id: string) => call<ReportView>("report", { id });
export const addendum = (id: string) => call<ReportView>("addendum", { id });
export const documentOf = (id: string) => call<Document>("document", { id });
export const edit = (sent: EditSent) => call<EditKept>("edit", { sent });
export const undo = (id: string) => call<EditKept>("undo", { id });
export const redo = (id: string) => call<EditKept>("redo", { id });
export const cursorMoved = (cursor: Cursor) => call<null>("cursor_moved", { cursor });
export const insertChip = (finding: string, measurement: string) => call<null>("insert_chip", { finding, measurement });
export const phrases = (id: string) => call<PhraseLine[]>("phrases", { id });
export const checks = (id: string) => call<CheckLine[]>("checks", { id });
export const confirmClaims = (id: string) => call<null>("confirm_claims", { id });
export const draftReport = (id: string) => call<string[]>("draft_report", { id });
export const sign = (id: string, person: string, role: string, deliver: string[], reasons: ReasonSent[]) => call<SignedView>("sign", { id, person, role, deliver, reasons });
export const exportPdf = (id: string, path: string) => call<string>("export_pdf", { id, path });
