/** What every page shares: the record, the language, the strip, notices. */
import type { Boot, Lang, SpeechNow, Told, ViewerState } from "../generated/types";
import { texts, type TextKey } from "../generated/texts";
import { asTold } from "../api/invoke";
import * as record from "../api/record";

export type Page = "worklist" | "study" | "outbox" | "servers" | "people" | "ledger" | "models" | "settings" | "about";

interface Notice {
  id: number;
  told: Told;
  isError: boolean;
}

export const app = $state({
  boot: null as Boot | null,
  page: "worklist" as Page,
  notices: [] as Notice[],
  isDragging: false,
  isPaletteOpen: false,
  isClosing: false,
  isImportOpen: false,
  importPaths: [] as string[],
  viewer: { state: "off" as ViewerState, backend: "" },
  outbox: { waiting: 0, refused: 0, online: true, hasServers: false },
  speech: { state: "no_model", about: "" } as SpeechNow,
  wanted: null as { request: number; question: string; text: string } | null,
});

let nextNotice = 1;

/** The language of the screens. */
export function lang(): Lang {
  return app.boot?.lang ?? "zh";
}

/** A text in the language of the screens, its places filled. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  const text: string = texts[key][lang() === "zh" ? 0 : 1];
  return text.replace(/\{(\w+)\}/gu, (whole, name: string) => String(values[name] ?? whole));
}

/** A text by a key made at run time; the last part itself when there is none. */
export function word(prefix: string, name: string): string {
  const key = `${prefix}.${name}`;
  return key in texts ? t(key as TextKey) : name;
}

/** Shows an error until it is closed. The same one is shown once. */
export function tellError(error: unknown): void {
  const told = asTold(error);
  if (app.notices.some((notice) => notice.told.message === told.message)) return;
  app.notices.push({ id: nextNotice++, told, isError: true });
}

/** Shows a sentence for a while. */
export function tellShortly(message: string): void {
  const id = nextNotice++;
  app.notices.push({ id, told: { code: "", message, hint: "" }, isError: false });
  setTimeout(() => closeNotice(id), 5000);
}

export function closeNotice(id: number): void {
  app.notices = app.notices.filter((notice) => notice.id !== id);
}

/** Runs something and tells its error. Gives what it gave, or `null`. */
export async function attempt<T>(what: () => Promise<T>): Promise<T | null> {
  try {
    return await what();
  } catch (error) {
    tellError(error);
    return null;
  }
}

/** Takes a new state of the program. */
export function takeBoot(boot: Boot): void {
  app.boot = boot;
  document.documentElement.dataset["theme"] = boot.theme;
  document.documentElement.lang = boot.lang === "zh" ? "zh-CN" : "en";
  document.title = t("app.name");
}

export async function switchLang(): Promise<void> {
  const boot = await attempt(() => record.setLang(lang() === "zh" ? "en" : "zh"));
  if (boot) takeBoot(boot);
}
