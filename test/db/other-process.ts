// Another process on the same database:
//   other-process.ts <url> migrate            brings it up to date and ends
//   other-process.ts <url> own <entry> <seat> owns both, says so on its output and waits to be killed
import { migrate, openDatabase } from "../../db/open.ts";
import { openOwners, openSeats } from "../../db/owners.ts";

const [url = "", does, entry, seat] = process.argv.slice(2);
await using database = await openDatabase(url);
await migrate(database);
if (does === "own") {
  await using owners = openOwners(database);
  await using seats = openSeats(database);
  const owned = await owners.take(Number(entry));
  const taken = await seats.take(seat === "engine" ? "engine" : "narrator-local");
  process.stdout.write(`${JSON.stringify({ token: owned?.fence.token, seat: taken !== null })}\n`);
  await new Promise((resolve) => process.stdin.on("end", resolve).resume());
}
