// fhir-kit-client: what a server-side app of a hospital does with a token.
import { Client } from "fhir-kit-client";

const given = JSON.parse(process.argv[2]);
const client = new Client({ baseUrl: given.base, bearerToken: given.token });

/** The status of a request that has to be refused. */
const refused = async (promise) => promise.then(
  () => null,
  (error) => ({ status: error.response.status, issue: error.response.data.issue[0].code }),
);

const sent = (what, name) => Client.httpFor(what).response.headers.get(name);

async function discovery() {
  const stranger = new Client({ baseUrl: given.base });
  const found = await stranger.smartAuthMetadata();
  const statement = await stranger.capabilityStatement();
  return {
    found: Object.fromEntries(Object.entries(found).map(([name, url]) => [name, String(url)])),
    version: statement.fhirVersion,
  };
}

/** Create, read, update, patch, delete, and the history of it. */
async function lifetime() {
  const body = { resourceType: "Observation", status: "preliminary", code: { text: "Пульс" } };
  const made = await client.create({
    resourceType: "Observation", body: { ...body, subject: { reference: `Patient/${given.patient}` } },
  });
  const { id } = made;
  const place = { resourceType: "Observation", id };
  const read = await client.read(place);
  await client.update({ ...place, body: { ...read, status: "final" } });
  const jsonPatch = [{ op: "replace", path: "/status", value: "amended" }];
  const patched = await client.patch({ ...place, jsonPatch });
  const first = await client.vread({ ...place, version: "1" });
  await client.delete(place);
  const history = await client.resourceHistory(place);
  return {
    location: sent(made, "location"),
    etag: sent(made, "etag"),
    statuses: [read.status, patched.status, first.status],
    gone: await refused(client.read(place)),
    methods: history.entry.map((each) => each.request.method),
    id,
  };
}

/** Every page of a search, and back. */
async function pages() {
  const searchParams = { patient: given.patient, _count: "20", _total: "accurate" };
  let bundle = await client.search({ resourceType: "Observation", searchParams });
  const { total } = bundle;
  const ids = new Set();
  let count = 0;
  for (;;) {
    count += 1;
    bundle.entry.forEach((each) => ids.add(each.resource.id));
    const next = client.nextPage({ bundle });
    if (next === undefined) break;
    bundle = await next;
  }
  const posted = await client.search({
    resourceType: "Observation", searchParams: { ...searchParams, _summary: "count" },
    options: { postSearch: true },
  });
  const compartment = await client.search({
    resourceType: "Condition", compartment: { resourceType: "Patient", id: given.patient },
  });
  return { total, found: ids.size, count, posted: posted.total, compartment: compartment.total ?? compartment.entry.length };
}

async function bundles() {
  const request = (method, url) => ({ request: { method, url } });
  const batch = await client.batch({
    body: {
      resourceType: "Bundle",
      type: "batch",
      entry: [request("GET", `Patient/${given.patient}`), request("GET", "Patient/nobody-at-all")],
    },
  });
  const transaction = await client.transaction({
    body: {
      resourceType: "Bundle",
      type: "transaction",
      entry: [{
        resource: { resourceType: "Basic", code: { text: "of a client" } },
        ...request("POST", "Basic"),
      }],
    },
  });
  const statuses = (bundle) => bundle.entry.map((each) => Number.parseInt(each.response.status, 10));
  return { batch: statuses(batch), transaction: statuses(transaction) };
}

async function operations() {
  const everything = await client.operation({
    name: "everything", resourceType: "Patient", id: given.patient, method: "GET",
  });
  const one = await client.resolve({ reference: `Patient/${given.patient}` });
  return { everything: everything.entry.length, resolved: one.id };
}

process.stdout.write(`${JSON.stringify({
  discovery: await discovery(),
  lifetime: await lifetime(),
  pages: await pages(),
  bundles: await bundles(),
  operations: await operations(),
  stranger: await refused(new Client({ baseUrl: given.base }).read({ resourceType: "Patient", id: given.patient })),
})}\n`);
