import { randomBytes } from "node:crypto";
import { freshMail, people, practiceMailbox } from "./practice-mail.ts";
import {
  type PracticeFolder,
  type PracticeServer,
  startPracticeServer,
} from "./practice-server.ts";

/** Two offices, the old one full and the new one empty, and what an operator types to make a project of them. */
export interface Practice extends AsyncDisposable {
  old: PracticeServer;
  new: PracticeServer;
  /** Of the master, on both. */
  password: string;
  addresses: string[];
  /** The same people at the new place. */
  targetOf(address: string): string;
  /** Where a folder of the old place has its like at the new one. */
  folderOf(folder: string): string;
  commands: string[];
  /** New mail for everybody, at the old place. Answers how many for each. */
  deliver(): number;
  /** Delivers once, some seconds after the first mail has come to the new place. Answers how to call it off. */
  deliverAfterFirstPass(): () => void;
}

export async function startPractice(now: Date): Promise<Practice> {
  const master = { user: "practice", password: randomBytes(12).toString("base64url") };
  const office = (domain: string, folders: (person: (typeof people)[number]) => PracticeFolder[]) =>
    startPracticeServer({
      master,
      people: people.map((person) => ({
        address: `${person}@${domain}`,
        password: randomBytes(12).toString("base64url"),
        folders: folders(person),
      })),
    });
  const from = await office("old.example", (person) => practiceMailbox(person, now));
  const to = await office("new.example", () => [...emptyOffice]);
  const addresses = people.map((person) => `${person}@old.example`);
  const targetOf = (address: string) => address.replace("@old.", "@new.");
  const deliver = () => {
    for (const person of people)
      from.deliver(`${person}@old.example`, freshMail(person, new Date(), 5));
    return 5;
  };
  const login = "--login master --user practice --password-env PRACTICE_PASSWORD --insecure";

  return {
    old: from,
    new: to,
    password: master.password,
    addresses,
    targetOf,
    folderOf: (folder) => ({ Sent: "Sent Items", Trash: "Deleted Items" })[folder] ?? folder,
    commands: [
      `endpoint new old imap://${from.host}:${from.port} ${login}`,
      `endpoint new new imap://${to.host}:${to.port} ${login}`,
      "project new practice --from old --to new",
      'licenses add 3 --note "practice"',
      ...addresses.map((address) => `add ${address} ${targetOf(address)}`),
    ],
    deliver,
    deliverAfterFirstPass() {
      const timer = setInterval(() => {
        if (addresses.every((address) => to.held(targetOf(address)).length === 0)) return;
        clearInterval(timer);
        setTimeout(deliver, 10_000).unref();
      }, 1000);
      return () => clearInterval(timer);
    },
    async [Symbol.asyncDispose]() {
      await from[Symbol.asyncDispose]();
      await to[Symbol.asyncDispose]();
    },
  };
}

/** The new place has its own names for what every mailbox has. */
const emptyOffice: PracticeFolder[] = [
  { names: ["Sent Items"], role: "\\Sent", mail: [] },
  { names: ["Deleted Items"], role: "\\Trash", mail: [] },
  { names: ["Drafts"], role: "\\Drafts", mail: [] },
];
