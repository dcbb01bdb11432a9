/** What the program tells without being asked. */
import { listen } from "@tauri-apps/api/event";
import { getCurrentWebview } from "@tauri-apps/api/webview";
import type { Event } from "../generated/types";
import { isInside } from "./invoke";

type Listener = (event: Event) => void;
const listeners = new Set<Listener>();

/** Listens until the returned function is called. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Tells every listener. */
export function tell(event: Event): void {
  for (const listener of listeners) listener(event);
}

/** Begins listening to the program. */
export async function start(onDragOver: (isOver: boolean) => void): Promise<void> {
  if (!isInside) return;
  await listen<Event>("desk", ({ payload }) => tell(payload));
  await getCurrentWebview().onDragDropEvent(({ payload }) => {
    onDragOver(payload.type === "over" || payload.type === "enter");
    if (payload.type === "drop") tell({ type: "dropped", paths: payload.paths });
  });
}
