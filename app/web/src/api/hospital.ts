import type { FoundLine, LedgerView, OutboxLine, PersonLine, ServerLine } from "../generated/types";
import { call } from "./invoke";

export const outbox = () => call<OutboxLine[]>("outbox");
export const flushOutbox = () => call<OutboxLine[]>("flush_outbox");
export const people = () => call<PersonLine[]>("people");
export const ledger = () => call<LedgerView>("ledger");
export const addPerson = (name: string, role: string) => call<PersonLine[]>("add_person", { name, role });
export const choosePerson = (id: string) => call<null>("choose_person", { id });
export const servers = () => call<ServerLine[]>("servers");
export const addServer = (server: ServerLine) => call<ServerLine[]>("add_server", { server });
export const testServer = (name: string) => call<number>("test_server", { name });
export const find = (server: string, text: string) => call<FoundLine[]>("find_studies", { server, text });
export const fetchStudy = (server: string, study: string) => call<number>("fetch_study", { server, study });
export const listen = (aet: string, port: number, fromOthers: boolean) => call<number>("listen", { aet, port, fromOthers });
