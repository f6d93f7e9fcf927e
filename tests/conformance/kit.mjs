// fhir-kit-client, unmodified, against a running service: kit.mjs <base address> <token>. Ends with 1 at the first surprise.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as kit from 'fhir-kit-client';

const Client = kit.Client ?? kit.default;
const [baseUrl, bearerToken] = process.argv.slice(2);
const client = new Client({ baseUrl, bearerToken });
const number = randomUUID();
const base = 'https://rekobryggan.example/fhir';

const statement = await client.capabilityStatement();
assert.equal(statement.fhirVersion, '4.0.1');

const patient = await client.create({
  resourceType: 'Patient',
  body: { resourceType: 'Patient', identifier: [{ system: 'urn:ehr', value: number }], name: [{ text: 'Prov Kit' }] },
});
const activity = await client.create({
  resourceType: 'Procedure',
  body: {
    resourceType: 'Procedure',
    identifier: [{ system: 'urn:ehr', value: number }],
    status: 'completed',
    category: { coding: [{ system: `${base}/CodeSystem/activity-kind`, code: 'employer-contact' }] },
    subject: { reference: `Patient/${patient.id}` },
    performedDateTime: '2026-03-02T09:00:00+01:00',
  },
});
assert.equal(activity.code.coding[0].code, 'GC001');
assert.deepEqual(await client.read({ resourceType: 'Procedure', id: activity.id }), activity);
assert.deepEqual(await client.vread({ resourceType: 'Procedure', id: activity.id, version: '1' }), activity);

const updated = await client.update({
  resourceType: 'Procedure',
  id: activity.id,
  body: { ...activity, note: [{ text: 'Arbetsgivaren återkommer.' }] },
});
assert.equal(updated.meta.versionId, '2');

const found = await client.search({ resourceType: 'Procedure', searchParams: { patient: patient.id, _count: 10 } });
assert.deepEqual(found.entry.map((each) => each.resource.id), [activity.id]);
const history = await client.history({ resourceType: 'Procedure', id: activity.id });
assert.deepEqual(history.entry.map((each) => each.resource.meta.versionId), ['2', '1']);

const again = await client.create({
  resourceType: 'Patient',
  body: { resourceType: 'Patient', identifier: [{ system: 'urn:ehr', value: number }], name: [{ text: 'Prov Kit' }] },
  options: { headers: { 'If-None-Exist': `identifier=urn:ehr|${number}` } },
});
assert.equal(again.id, patient.id);

const translated = await client.operation({
  name: '$translate',
  resourceType: 'ConceptMap',
  method: 'GET',
  input: { system: `${base}/CodeSystem/activity-kind`, code: 'plan' },
});
assert.equal(translated.parameter[0].valueBoolean, true);

await assert.rejects(client.read({ resourceType: 'Patient', id: 'nobody' }), (refusal) => refusal.response.status === 404);
console.log('fhir-kit-client: as expected');
