import { memorySystem } from "../../../engine/providers/memory/provider.ts";
import { providerContract } from "../../contracts/provider.ts";
import { addressAt } from "./addresses.ts";

providerContract("memory", async () => {
  const system = memorySystem();
  return {
    provider: system,
    address: (mailbox) => addressAt({ host: "memory", port: 0 }, mailbox),
    async deliver(mailbox, folder, messages) {
      for (const { body, flags, date } of messages) {
        system.deliver(mailbox, folder, Buffer.from(body), { flags, createdAt: date });
      }
    },
    async remove(mailbox, folder, uid) {
      system.remove(mailbox, folder, uid);
    },
    async move(mailbox, folder, uid, to) {
      system.move(mailbox, folder, uid, to);
    },
    async [Symbol.asyncDispose]() {},
  };
});
