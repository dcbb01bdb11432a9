import type { Boot, ImportDone, Lang } from "../generated/types";
import { call } from "./invoke";

export const boot = () => call<Boot>("boot");
export const createRecord = (passphrase: string) => call<Boot>("create_record", { passphrase });
export const unlock = (passphrase: string) => call<Boot>("unlock", { passphrase });
export const closingHeard = () => call<null>("closing_heard");
export const closeWindow = () => call<null>("close_window");
export const lock = () => call<Boot>("lock");
export const setLang = (lang: Lang) => call<Boot>("set_lang", { lang });
export const setTheme = (theme: string) => call<Boot>("set_theme", { theme });
export const setOpensViewer = (opens: boolean) => call<Boot>("set_opens_viewer", { opens });
export const importPaths = (paths: string[]) => call<ImportDone>("import_paths", { paths });
export const cancelImport = () => call<null>("cancel_import");
export const pickFolder = () => call<string | null>("pick_folder");
export const pickFiles = () => call<string[]>("pick_files");
export const pickSave = (name: string) => call<string | null>("pick_save", { name });
