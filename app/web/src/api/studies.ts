import type { StudyFilter, StudyLines, StudyView } from "../generated/types";
import { call } from "./invoke";

export const studies = (filter: StudyFilter) => call<StudyLines>("studies", { filter });
export const openStudy = (study: string) => call<StudyView>("open_study", { study });
export const closeStudy = () => call<null>("close_study");
export const showViewer = () => call<null>("show_viewer");
export const showPlanning = () => call<null>("show_planning");
export const restartViewer = () => call<null>("restart_viewer");
export const focusFinding = (finding: string) => call<null>("focus_finding", { finding });
export const giveText = (request: number, text: string | null) => call<null>("give_text", { request, text });
