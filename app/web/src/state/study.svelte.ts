/** The study that is open: its page, its report, its findings. */
import type { CheckLine, FindingLine, ReportView, SignedView, StudyView } from "../generated/types";
import * as reports from "../api/reports";
import * as speech from "../api/speech";
import * as studies from "../api/studies";
import type { ReportEditor } from "../editor/editor";
import type { Kept } from "../editor/sync";
import { app, attempt, t, tellError, tellShortly } from "./app.svelte";

export const study = $state({
  view: null as StudyView | null,
  report: null as ReportView | null,
  /** Grows when the editor must be built anew. */
  editorVersion: 0,
  kept: "kept" as Kept,
  checks: [] as CheckLine[],
  chosenFinding: "",
  isSigning: false,
  isLoading: false,
  signed: null as SignedView | null,
  heard: "",
  /** Words that were typed or said and stand in no report. They stay until a person takes or drops them. */
  unplaced: [] as Unplaced[],
});

export interface Unplaced {
  id: number;
  text: string;
  /** The kept sound that goes with it, if any. */
  file: string | null;
}

/** The editor in the page, when there is one. */
export const editor = { now: null as ReportEditor | null };

/** Counts studies: an answer that belongs to an earlier one comes too late. */
let turn = 0;
let nextUnplaced = 1;
let checkTimer: ReturnType<typeof setTimeout> | null = null;

export async function open(uid: string): Promise<void> {
  await leave();
  turn += 1;
  const mine = turn;
  app.page = "study";
  study.isLoading = true;
  const view = await attempt(() => studies.openStudy(uid));
  if (mine !== turn) return;
  study.isLoading = false;
  if (!view) return;
  study.view = view;
  if (app.boot?.opens_viewer) void attempt(studies.showViewer);
  const latest = view.reports.at(0);
  if (latest) await openReport(latest.id);
}

/** Puts everything typed on disk and forgets the study. */
export async function leave(): Promise<void> {
  await editor.now?.flush();
  turn += 1;
  Object.assign(study, { view: null, report: null, checks: [], chosenFinding: "", isSigning: false, signed: null, heard: "", kept: "kept" });
}

export async function openReport(id: string): Promise<void> {
  const mine = turn;
  try {
    const report = await reports.report(id);
    if (mine === turn) takeReport(report);
  } catch (error) {
    // What became of a study that was left meanwhile concerns nobody any more.
    if (mine === turn) tellError(error);
  }
}

/** Puts a report into the editor; never one of another study than the page names. */
export function takeReport(report: ReportView): void {
  if (report.study !== study.view?.line.uid) return;
  study.report = report;
  lastCheck = -1;
  // Every report of the study stays within reach: an addendum beside the report it belongs to.
  const { id, state } = report;
  const { template, lang, revision } = report.document;
  const line = { id, state, template, lang, revision };
  const isKnown = study.view.reports.some((known) => known.id === id);
  study.view.reports = isKnown ? study.view.reports.map((known) => (known.id === id ? line : known)) : [line, ...study.view.reports];
  study.editorVersion += 1;
  runChecks();
}

export async function beginReport(template: string, language: "zh" | "en"): Promise<void> {
  const uid = study.view?.line.uid;
  if (uid === undefined) return;
  const mine = turn;
  const report = await attempt(() => reports.newReport(uid, template, language));
  if (!report || mine !== turn) return;
  if (study.view) study.view.line.report = report.state;
  takeReport(report);
}

/** Begins an addendum to the final report that is shown. */
export async function beginAddendum(): Promise<void> {
  const id = study.report?.id;
  if (id === undefined) return;
  const mine = turn;
  const report = await attempt(() => reports.addendum(id));
  if (!report || mine !== turn) return;
  if (study.view) study.view.line.report = report.state;
  takeReport(report);
}

/** Keeps words on the screen that stand in no report. */
export function keepUnplaced(text: string, file: string | null = null): void {
  if (text.trim() === "" || study.unplaced.some((kept) => kept.text === text && kept.file === file)) return;
  study.unplaced.push({ id: nextUnplaced++, text, file });
}

/** A person has taken or dropped the words. */
export function forgetUnplaced(words: Unplaced): void {
  study.unplaced = study.unplaced.filter((kept) => kept.id !== words.id);
  const { file } = words;
  if (file !== null) void attempt(() => speech.forgetSound(file));
}

/** Runs the checks a little after the last change. */
export function runChecks(): void {
  if (checkTimer !== null) clearTimeout(checkTimer);
  checkTimer = setTimeout(() => {
    const id = study.report?.id;
    if (id === undefined) return;
    if (study.report?.state === "draft") {
      reports.documentOf(id).then(
        (onDisk) => editor.now?.takeClaims(onDisk),
        (error: unknown) => tellError(error),
      );
    }
    reports.checks(id).then(
      (checks) => {
        if (study.report?.id !== id) return;
        if (checks.length !== study.checks.length) lastCheck = -1;
        study.checks = checks;
      },
      (error: unknown) => tellError(error),
    );
  }, 250);
}

export async function focusFinding(finding: string): Promise<void> {
  study.chosenFinding = finding;
  await attempt(() => studies.focusFinding(finding));
}

/** Findings of the open study changed. */
export function takeFindings(uid: string, findings: FindingLine[]): void {
  if (study.view?.line.uid !== uid) return;
  study.view.findings = findings;
  runChecks();
}

/** Puts accepted findings into the report and says why each line of the impression stands there. */
export async function draft(): Promise<void> {
  const id = study.report?.id;
  if (id === undefined) return;
  await editor.now?.flush();
  const why = await attempt(() => reports.draftReport(id));
  if (why) tellShortly(why.length > 0 ? why.join("\n") : t("desk.report.draft_nothing"));
  runChecks();
}

/** Stands for the sentences again whose finding or words have changed. */
export async function confirmStale(): Promise<void> {
  const id = study.report?.id;
  if (id === undefined) return;
  await editor.now?.flush();
  await attempt(() => reports.confirmClaims(id));
  runChecks();
}

/** Goes to the words a check is about; the heaviest first, then one after the other. */
export function showCheck(check: CheckLine): void {
  if (check.block !== "") editor.now?.select(check.block, Math.max(0, check.start), Math.max(0, check.end));
}

let lastCheck = -1;

export function nextCheck(): void {
  const placed = study.checks.filter((check) => check.block !== "");
  if (placed.length === 0) return;
  lastCheck = (lastCheck + 1) % placed.length;
  const check = placed[lastCheck];
  if (check) showCheck(check);
}

/** What stands in the way of a signature. */
export function blocking(): CheckLine[] {
  return study.checks.filter((check) => check.severity === "block");
}
