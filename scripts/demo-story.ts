import type { ChatEnd, PassLine } from "./demo-chat.ts";
import type { Practice } from "./demo-practice.ts";
import type { HeldMail } from "./practice-server.ts";

const day = 24 * 60 * 60 * 1000;

/**
 * Pre-stage, new mail, delta, a second delta that finds only duplicates; then counts at both ends what the
 * passes say they did. True when every promise held; each is told, kept or broken.
 */
export async function tellStory(
  practice: Practice,
  say: (command: string) => Promise<ChatEnd>,
  tell: (text: string) => void,
): Promise<boolean> {
  const promises: { kept: boolean; text: string }[] = [];
  const promise = (text: string, kept: boolean) => promises.push({ kept, text });
  const portraits = () =>
    practice.addresses.map((address) => practice.old.portrait(address)).join();
  const pass = async (command: string): Promise<PassLine | null> => {
    const { lines, exit } = await say(command);
    const line = lines.find((one) => one.kind === "pass") ?? null;
    promise(
      `“${command}” completes without a failed item`,
      exit === 0 && line?.state === "completed",
    );
    if (line !== null) promise(`the sums of “${command}” balance`, balances(line));
    return line;
  };

  for (const command of practice.commands) {
    const { exit } = await say(command);
    promise(`“${command.split(" ").slice(0, 3).join(" ")} …” is accepted`, exit === 0);
    if (exit !== 0) return report(promises, tell);
  }

  const before = portraits();
  const atFirst = count(practice);
  await pass("verify");
  const limit = Date.now() - 90 * day;
  const older = count(practice, (mail) => Date.parse(mail.date) < limit);
  const prestage = await pass("prestage 90d --yes");
  promise(
    `the pre-stage carries the ${older} mails older than 90 days`,
    prestage?.migrated === older,
  );
  promise("the old place is exactly as it was", portraits() === before);

  const arrived = practice.deliver() * practice.addresses.length;
  tell(`\n… ${arrived} new mails arrive at the old place …`);
  const afterDelivery = portraits();
  const delta = await pass("delta --yes");
  const all = atFirst + arrived;
  promise(
    `the delta carries the other ${all - older} mails and nothing twice`,
    delta?.migrated === all - older && delta.duplicates === older,
  );
  const again = await pass("delta --yes");
  promise(
    `a second delta finds ${all} duplicates and nothing to carry`,
    again?.migrated === 0 && again.duplicates === all,
  );
  promise(
    "the old place is exactly as it was, but for what arrived",
    portraits() === afterDelivery,
  );
  promise(
    "three licenses are used, one for each person, however many passes",
    again?.licenses.consumed === 3 && again.licenses.free === 0 && again.licenses.reserved === 0,
  );
  for (const address of practice.addresses) {
    promise(
      `${practice.targetOf(address)} has each mail of ${address} exactly once: folder, date, flags, bytes`,
      alike(practice, address),
    );
  }
  return report(promises, tell);
}

function balances(line: PassLine): boolean {
  return [line, ...line.entries].every(
    (one) =>
      one.listed ===
      one.migrated + one.duplicates + one.filtered + one.failed + one.vanished + one.notCarried,
  );
}

function count(practice: Practice, which: (mail: HeldMail) => boolean = () => true): number {
  return practice.addresses.flatMap((address) => practice.old.held(address)).filter(which).length;
}

/** Compared as multisets, without what each server counts for itself. */
function alike(practice: Practice, address: string): boolean {
  const shape = (mail: HeldMail, folder: string) =>
    JSON.stringify([
      folder,
      Date.parse(mail.date),
      [...mail.flags].sort(),
      mail.raw.toString("base64"),
    ]);
  const old = practice.old.held(address).map((mail) => shape(mail, practice.folderOf(mail.folder)));
  const target = practice.new
    .held(practice.targetOf(address))
    .map((mail) => shape(mail, mail.folder));
  return JSON.stringify(old.sort()) === JSON.stringify(target.sort());
}

function report(
  promises: { kept: boolean; text: string }[],
  tell: (text: string) => void,
): boolean {
  tell("\nWhat was promised:");
  for (const { kept, text } of promises) tell(`  ${kept ? "kept  " : "BROKEN"}  ${text}`);
  const broken = promises.filter((one) => !one.kept).length;
  tell(
    broken === 0 ? "\nEvery promise held." : `\n${broken} of ${promises.length} promises broken.`,
  );
  return broken === 0;
}
