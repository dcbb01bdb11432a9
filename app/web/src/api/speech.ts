import type { SpeechNow } from "../generated/types";
import { call } from "./invoke";

export const speechNow = () => call<SpeechNow>("speech_now");
export const loadModel = (path: string) => call<null>("load_model", { path });
export const transcribe = (path: string) => call<null>("transcribe", { path });
export const forgetSound = (file: string) => call<null>("forget_sound", { file });
export const startMicrophone = () => call<null>("start_microphone");
export const stopMicrophone = () => call<null>("stop_microphone");
