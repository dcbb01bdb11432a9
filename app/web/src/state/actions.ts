/** Every action of the page, once: menu, palette, keys and tests share them. */
import type { TextKey } from "../generated/texts";
import * as hospital from "../api/hospital";
import * as record from "../api/record";
import * as studies from "../api/studies";
import { app, attempt, switchLang, takeBoot, type Page } from "./app.svelte";
import { beginAddendum, confirmStale, draft, editor, leave, nextCheck, open, runChecks, study } from "./study.svelte";
import { lineAt, worklist } from "./worklist.svelte";

export interface Action {
  id: string;
  text: TextKey;
  /** Key as shown, for example `Ctrl+I`. */
  keys?: string;
  isPossible?: () => boolean;
  run: () => void;
}

const go = (page: Page) => () => {
  app.page = page;
};
const hasStudy = () => study.view !== null;
const hasReport = () => study.report !== null;
const isDraft = () => study.report?.state === "draft";

async function theme(name: string): Promise<void> {
  const boot = await attempt(() => record.setTheme(name));
  if (boot) takeBoot(boot);
}

export const actions: Action[] = [
  { id: "go-worklist", text: "desk.nav.worklist", keys: "Ctrl+1", run: go("worklist") },
  { id: "go-study", text: "desk.nav.study", keys: "Ctrl+2", run: go("study") },
  { id: "go-outbox", text: "desk.nav.outbox", keys: "Ctrl+3", run: go("outbox") },
  { id: "go-servers", text: "desk.nav.servers", keys: "Ctrl+4", run: go("servers") },
  { id: "go-people", text: "desk.nav.people", keys: "Ctrl+5", run: go("people") },
  { id: "go-models", text: "desk.nav.models", keys: "Ctrl+6", run: go("models") },
  { id: "go-ledger", text: "desk.nav.ledger", keys: "Ctrl+7", run: go("ledger") },
  { id: "go-settings", text: "desk.nav.settings", keys: "Ctrl+,", run: go("settings") },
  { id: "go-about", text: "desk.nav.about", run: go("about") },
  { id: "import", text: "desk.import.title", keys: "Ctrl+I", run: () => (app.isImportOpen = true) },
  { id: "search", text: "desk.action.search", keys: "Ctrl+F", run: () => focusSearch() },
  {
    id: "next-study",
    text: "desk.action.next_study",
    keys: "Ctrl+]",
    isPossible: () => worklist.chosen + 1 < worklist.total,
    run: () => {
      worklist.chosen += 1;
      const line = lineAt(worklist.chosen);
      if (line) void open(line.uid);
    },
  },
  { id: "show-images", text: "desk.study.images", keys: "Ctrl+G", isPossible: hasStudy, run: () => void attempt(studies.showViewer) },
  { id: "show-planning", text: "desk.study.planning", keys: "Ctrl+Shift+G", isPossible: hasStudy, run: () => void attempt(studies.showPlanning) },
  { id: "restart-viewer", text: "desk.viewer.restart", isPossible: hasStudy, run: () => void attempt(studies.restartViewer) },
  {
    id: "go-report",
    text: "desk.action.go_report",
    keys: "Ctrl+R",
    isPossible: hasReport,
    run: () => {
      app.page = "study";
      editor.now?.focus();
    },
  },
  {
    id: "begin-report",
    text: "desk.report.begin",
    keys: "Ctrl+R",
    isPossible: () => hasStudy() && !hasReport() && study.view?.templates[0] !== undefined,
    // With what is chosen in the pane.
    run: () => document.querySelector<HTMLButtonElement>("[data-testid='report-begin']")?.click(),
  },
  { id: "undo", text: "desk.report.undo", keys: "Ctrl+Z", isPossible: hasReport, run: () => void editor.now?.undo() },
  { id: "redo", text: "desk.report.redo", keys: "Ctrl+Shift+Z", isPossible: hasReport, run: () => void editor.now?.redo() },
  { id: "draft-report", text: "desk.report.draft", keys: "Ctrl+Shift+D", isPossible: isDraft, run: () => void draft() },
  { id: "confirm-claims", text: "desk.report.confirm_claims", keys: "Ctrl+Shift+Enter", isPossible: isDraft, run: () => void confirmStale() },
  { id: "next-check", text: "desk.action.next_check", keys: "F8", isPossible: () => study.checks.some((check) => check.block !== ""), run: nextCheck },
  { id: "addendum", text: "desk.report.addendum", keys: "Ctrl+Shift+A", isPossible: () => study.report?.state === "final", run: () => void beginAddendum() },
  { id: "checks", text: "desk.action.run_checks", isPossible: hasReport, run: runChecks },
  { id: "sign", text: "desk.report.sign", keys: "Ctrl+Enter", isPossible: hasReport, run: () => (study.isSigning = true) },
  { id: "flush", text: "desk.outbox.flush", run: () => void attempt(hospital.flushOutbox) },
  { id: "language", text: "desk.action.switch_language", keys: "Ctrl+Shift+L", run: () => void switchLang() },
  { id: "dark", text: "desk.settings.dark", run: () => void theme("dark") },
  { id: "light", text: "desk.settings.light", run: () => void theme("light") },
  { id: "high-contrast", text: "desk.settings.high_contrast", run: () => void theme("high_contrast") },
  {
    id: "lock",
    text: "desk.settings.lock",
    keys: "Ctrl+L",
    run: () =>
      void leave().then(async () => {
        const boot = await attempt(record.lock);
        if (boot) takeBoot(boot);
      }),
  },
];

function focusSearch(): void {
  app.page = "worklist";
  setTimeout(() => document.querySelector<HTMLInputElement>("[data-testid=worklist-search]")?.focus());
}

/** The action of a key press, if there is one. */
export function actionOf(event: KeyboardEvent): Action | undefined {
  // Chinese input methods keep many keys with Ctrl for themselves; function keys they leave alone.
  const isFunction = /^F\d+$/u.test(event.key);
  if (!(event.ctrlKey || event.metaKey || isFunction)) return undefined;
  const name = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const pressed = `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.shiftKey ? "Shift+" : ""}${name}`;
  return actions.find((action) => action.keys === pressed && (action.isPossible?.() ?? true));
}
