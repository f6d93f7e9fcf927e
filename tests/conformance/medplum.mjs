// @medplum/core over files: medplum.mjs <R4 package> <folder of profiles with snapshots> <list>. A line of the list is a file and
// the profile it is judged by, with a tab between. Each finding is one line: file, level, place, id, words.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';

const [core, ours, list] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const structures = (folder) =>
  readdirSync(folder)
    .filter((name) => name.startsWith('StructureDefinition-'))
    .map((name) => read(join(folder, name)));

const base = structures(core).filter((each) => each.derivation !== 'constraint');
const profiles = structures(ours);
indexStructureDefinitionBundle([...base, ...profiles]);
const byUrl = new Map(profiles.map((each) => [each.url, each]));

let judged = 0;
for (const line of readFileSync(list, 'utf8').split('\n').filter(Boolean)) {
  const [file, url] = line.split('\t');
  const tell = (level, issue) =>
    console.log(['FOUND', file, level, issue.expression?.[0] ?? '', issue.code, issue.details?.text ?? ''].join('\t'));
  try {
    const profile = byUrl.get(url);
    validateResource(read(file), profile ? { profile } : {}).forEach((issue) => tell(issue.severity.toUpperCase(), issue));
  } catch (refusal) {
    (refusal.outcome?.issue ?? [{ code: 'exception', details: { text: String(refusal) } }]).forEach((issue) => tell('ERROR', issue));
  }
  judged += 1;
}
console.log(`JUDGED\t${judged}`);
