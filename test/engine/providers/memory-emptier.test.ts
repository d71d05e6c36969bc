import { memorySystem } from "../../../engine/providers/memory/provider.ts";
import { emptierContract } from "../../contracts/emptier.ts";
import { addressAt } from "./addresses.ts";

emptierContract("memory", async () => {
  const system = memorySystem();
  return {
    emptiers: system,
    address: (mailbox) => addressAt({ host: "memory", port: 0 }, mailbox),
    async deliver(mailbox, folder, messages) {
      for (const { body, flags } of messages) {
        system.deliver(mailbox, folder, Buffer.from(body), { flags });
      }
    },
    flag: async (mailbox, folder, uid, flags) => system.flag(mailbox, folder, uid, flags),
    remove: async (mailbox, folder, uid) => system.remove(mailbox, folder, uid),
    async standing(mailbox, folder) {
      const letters = system.letters(mailbox, folder);
      return new Map(letters.map(({ uid, flags }) => [uid, flags.toSorted()]));
    },
    async [Symbol.asyncDispose]() {},
  };
});
