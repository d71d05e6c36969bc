// Another process on the same database:
//   other-process.ts <url> migrate            brings it up to date and ends
//   other-process.ts <url> own <entry> <seat> [heartbeat as JSON]
//                                             owns both, says so on its output and waits to be killed; asked by a
//                                             line, it says whether it may go on
import { createInterface } from "node:readline";
import { migrate, openDatabase } from "../../db/open.ts";
import { openOwners, openSeats } from "../../db/owners.ts";

const [url = "", does, entry, seat, heartbeat] = process.argv.slice(2);
await using database = await openDatabase(url);
await migrate(database);
if (does === "own") {
  await using owners = openOwners(
    database,
    heartbeat === undefined ? undefined : JSON.parse(heartbeat),
  );
  await using seats = openSeats(database);
  const owned = await owners.take(Number(entry));
  const taken = await seats.take(seat === "engine" ? "engine" : "narrator-local");
  const tell = (facts: object) => process.stdout.write(`${JSON.stringify(facts)}\n`);
  tell({ token: owned?.fence.token, seat: taken !== null });
  for await (const _ of createInterface({ input: process.stdin })) {
    tell({ lost: owned?.lost.aborted });
  }
}
