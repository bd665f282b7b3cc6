// Writing a table of recorded cases, or comparing it with the one that is there.
//
// A trace is JSON Lines: the first line is its provenance, each further line one case. With --check nothing is
// written; every line that the reference would now record differently is printed and the process ends with 1.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const TRACES = join(HERE, "..", "traces");
const check = process.argv.includes("--check");

// Every UTF-16 code unit beyond ASCII is escaped, so that a trace survives any editor and shows what it holds.
function toLine(value) {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

function withoutDate(line) {
  const { date, ...rest } = JSON.parse(line);
  return toLine(rest);
}

export function saveTrace(folder, name, packageName, scenario, cases) {
  // Read as a file: not every package exports its package.json.
  const { version } = JSON.parse(readFileSync(join(HERE, "node_modules", packageName, "package.json"), "utf8"));
  const provenance = { reference: packageName, version, scenario, date: new Date().toISOString().slice(0, 10) };
  const lines = [provenance, ...cases].map(toLine);
  const path = join(TRACES, folder, `${name}.jsonl`);
  if (!check) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, lines.join("\n") + "\n");
    console.log(`${folder}/${name}.jsonl: ${cases.length} cases`);
    return;
  }
  const committed = readFileSync(path, "utf8").trimEnd().split("\n");
  let drift = 0;
  for (let i = 0; i < Math.max(lines.length, committed.length); i++) {
    const now = lines[i] === undefined ? "(no such case)" : withoutDate(lines[i]);
    const then = committed[i] === undefined ? "(no such case)" : withoutDate(committed[i]);
    if (now !== then) {
      drift++;
      console.log(`${folder}/${name}.jsonl:${i + 1}\n  committed ${then}\n  recorded  ${now}`);
    }
  }
  console.log(`${folder}/${name}.jsonl: ${drift} of ${lines.length} lines drifted`);
  if (drift > 0) process.exitCode = 1;
}
