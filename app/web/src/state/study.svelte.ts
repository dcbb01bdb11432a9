/** The study that is open: its page, its report, its findings. */
import type { CheckLine, FindingLine, ReportView, SignedView, StudyView } from "../generated/types";
import * as reports from "../api/reports";
import * as studies from "../api/studies";
import type { ReportEditor } from "../editor/editor";
import type { Kept } from "../editor/sync";
import { app, attempt, tellError } from "./app.svelte";

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
});

/** The editor in the page, when there is one. */
export const editor = { now: null as ReportEditor | null };

let checkTimer: ReturnType<typeof setTimeout> | null = null;

export async function open(uid: string): Promise<void> {
  await leave();
  app.page = "study";
  study.isLoading = true;
  const view = await attempt(() => studies.openStudy(uid));
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
  Object.assign(study, { view: null, report: null, checks: [], chosenFinding: "", isSigning: false, signed: null, heard: "", kept: "kept" });
}

export async function openReport(id: string): Promise<void> {
  const report = await attempt(() => reports.report(id));
  if (!report) return;
  study.report = report;
  study.editorVersion += 1;
  runChecks();
}

export async function beginReport(template: string, language: "zh" | "en"): Promise<void> {
  const report = await attempt(() => reports.newReport(template, language));
  if (!report) return;
  study.report = report;
  if (study.view) study.view.line.report = report.state;
  study.editorVersion += 1;
  runChecks();
}

/** Runs the checks a little after the last change. */
export function runChecks(): void {
  if (checkTimer !== null) clearTimeout(checkTimer);
  checkTimer = setTimeout(() => {
    const id = study.report?.id;
    if (id === undefined) return;
    reports.checks(id).then(
      (checks) => {
        if (study.report?.id === id) study.checks = checks;
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

/** What stands in the way of a signature. */
export function blocking(): CheckLine[] {
  return study.checks.filter((check) => check.severity === "block");
}
