// A house in a process of its own, on an SQLite database, whose files its parent keeps from growing for a while.
//   disk-process.ts <database url>
// It prints SENT n as it carries, ERROR <words> for each line of its log, and END <tally>.
import { isWhole } from "./database-file.ts";
import { finished, openHouse } from "./house.ts";

const [url = ""] = process.argv.slice(2);
const tell = (line: string) => process.stdout.write(`${line}\n`);
await using house = await openHouse({ url, mailboxes: 4, letters: 40, engines: 1, letterMs: 1 });
let errors = 0;
const telling = setInterval(() => {
  tell(`SENT ${house.seen.appended}`);
  for (; errors < house.errors.length; errors += 1) tell(`ERROR ${house.errors[errors]}`);
}, 10);
const pass = await house.submit();
const wrong = [...(await finished(house, pass)), ...(await isWhole(house)), ...house.seen.wrong];
clearInterval(telling);
tell(`END ${JSON.stringify({ faults: 1, ...house.stands(), wrong })}`);
