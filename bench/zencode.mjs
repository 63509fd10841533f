// Measures npm's zenroom in a process that has it loaded: the processor time of one
// script, and its wall-clock time, in nanoseconds, as lines "hello cpu wall".
import { createRequire } from "node:module";
const { zencode_exec } = createRequire(new URL("../testdata/npm/", import.meta.url))("zenroom");

const scripts = {
  hello: "Given nothing\nThen print the string 'hello'\n",
  keyring: "Scenario 'ecdh': keys\nGiven I am 'Alice'\nWhen I create the ecdh key\nand I create the ecdh public key\nThen print my 'keyring'\nand print my 'ecdh public key'\n",
};
const times = 100;
for (const [name, script] of Object.entries(scripts)) {
  for (let n = 0; n < 20; n++) await zencode_exec(script, {});
  const cpu = process.cpuUsage(), start = process.hrtime.bigint();
  for (let n = 0; n < times; n++) await zencode_exec(script, {});
  const wall = Number(process.hrtime.bigint() - start);
  const { user, system } = process.cpuUsage(cpu);
  console.log(name, Math.round(((user + system) * 1000) / times), Math.round(wall / times));
}
