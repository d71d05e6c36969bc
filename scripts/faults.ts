/**
 * The long form of the fault matrix: kills an engine at random moments over several passes between two real
 * servers, then asks a witness that shares no code with it.
 *   npm run faults -- [kills] [seed]
 */
import { killAtRandom } from "../test/faults/kills.ts";
import { startDovecot } from "../test/servers/dovecot.ts";

const kills = Number(process.argv[2] ?? 500);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);

process.stdout.write(`${kills} kills, seed ${seed}\n`);
await using old = await startDovecot();
await using fresh = await startDovecot({ location: "maildir" });
const began = Date.now();
const { verdict, touched, gaps, ...outcome } = await killAtRandom(old, fresh, {
  kills,
  letters: kills * 4,
  seed,
  user: "faults",
});
process.stdout.write(
  `${outcome.kills} kills in ${Math.round((Date.now() - began) / 1000)} s: ${verdict.present} messages there, ${verdict.lost.length} lost, ${verdict.duplicated.length} duplicated, ${verdict.foreign.length} foreign, ${touched.length} changes at the source, ${gaps} passes not in order\n`,
);
const damage = [verdict.lost, verdict.duplicated, verdict.foreign, touched].some(
  (one) => one.length,
);
process.exitCode = damage || gaps > 0 ? 1 : 0;
