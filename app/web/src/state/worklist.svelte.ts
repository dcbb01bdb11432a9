/** The worklist: a filter, and the lines near the ones in sight. */
import type { StudyFilter, StudyLine } from "../generated/types";
import { studies } from "../api/studies";
import { asTold } from "../api/invoke";
import type { Told } from "../generated/types";

/** Lines read at once. */
const CHUNK = 120;
/** Chunks kept. */
const KEPT = 12;

export const worklist = $state({
  filter: { text: "", modality: null as string | null, state: null as string | null },
  total: 0,
  modalities: [] as string[],
  chosen: 0,
  isLoading: true,
  error: null as Told | null,
  /** Grows with every chunk that arrives, so that rows are drawn again. */
  version: 0,
});

let chunks = new Map<number, StudyLine[]>();
let asked = new Set<number>();
let generation = 0;

/** The line at an index, when it has been read. */
export function lineAt(index: number): StudyLine | null {
  return chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK] ?? null;
}

/** True while any filter is on. */
export function isFiltered(): boolean {
  const { text, modality, state } = worklist.filter;
  return text.trim() !== "" || modality !== null || state !== null;
}

/** Reads what the range of lines needs. */
export function need(first: number, last: number): void {
  for (let chunk = Math.floor(Math.max(0, first) / CHUNK); chunk <= Math.floor(last / CHUNK); chunk += 1) {
    if (!chunks.has(chunk) && !asked.has(chunk)) void read(chunk);
  }
}

async function read(chunk: number): Promise<void> {
  asked.add(chunk);
  const mine = generation;
  const { text, modality, state } = worklist.filter;
  const filter: StudyFilter = { text: text.trim(), modality, state, offset: chunk * CHUNK, limit: CHUNK };
  try {
    const lines = await studies(filter);
    if (mine !== generation) return;
    chunks.set(chunk, lines.rows);
    for (const old of chunks.keys()) {
      if (chunks.size <= KEPT) break;
      if (Math.abs(old - chunk) > 2) {
        chunks.delete(old);
        asked.delete(old);
      }
    }
    worklist.total = lines.total;
    worklist.modalities = lines.modalities;
    worklist.chosen = Math.min(worklist.chosen, Math.max(0, lines.total - 1));
    worklist.error = null;
    worklist.isLoading = false;
    worklist.version += 1;
  } catch (error) {
    if (mine !== generation) return;
    worklist.error = asTold(error);
    worklist.isLoading = false;
  }
}

/** Reads again, after a change of the filter or of the record. The old lines stay until the new ones are there. */
export async function again(keepPlace: boolean): Promise<void> {
  generation += 1;
  const mine = generation;
  const old = chunks;
  chunks = new Map();
  asked = new Set();
  if (!keepPlace) worklist.chosen = 0;
  const first = keepPlace ? Math.floor(worklist.chosen / CHUNK) : 0;
  const stale = old.get(first);
  if (stale) chunks.set(first, stale);
  await read(first);
  if (mine === generation) worklist.version += 1;
}

/** Clears every filter. */
export function clearFilter(): void {
  worklist.filter = { text: "", modality: null, state: null };
}
