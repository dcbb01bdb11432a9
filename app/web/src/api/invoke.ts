/** The one way to the program. Commands answer or throw a `Told`. */
import { invoke } from "@tauri-apps/api/core";
import type { Told } from "../generated/types";

const isInside = "__TAURI_INTERNALS__" in window;

/** Calls a command. */
export async function call<T>(command: string, args: Record<string, unknown> = {}): Promise<T> {
  try {
    if (isInside) return await invoke<T>(command, args);
    // In a browser the page has nobody to ask.
    throw { code: "page.outside", message: "mingjing-desk", hint: "" } satisfies Told;
  } catch (error) {
    throw asTold(error);
  }
}

/** Any failure as something that can be told. */
export function asTold(error: unknown): Told {
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) return error as Told;
  return { code: "page.error", message: String(error), hint: "" };
}

export { isInside };
