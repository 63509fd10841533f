// Runs scripts on npm's zenroom, as node does:
//
//	node node.mjs < cases.json
//
// A case is {lua, script, conf, keys, data, extra, context}; the answer is an array of
// {ok, result, logs}.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(new URL("../../../testdata/npm/", import.meta.url));
const zenroom = require("zenroom");
const answers = [];
for (const { lua, script, ...inputs } of JSON.parse(readFileSync(0, "utf8"))) {
  const run = lua ? zenroom.zenroom_exec : zenroom.zencode_exec;
  for (const name of Object.keys(inputs)) inputs[name] ||= null;
  try {
    answers.push({ ok: true, ...(await run(script, inputs)) });
  } catch (e) {
    answers.push({ ok: false, result: String(e.result ?? ""), logs: String(e.logs ?? e) });
  }
}
process.stdout.write(JSON.stringify(answers));
