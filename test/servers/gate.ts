import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands in front of a server, and can be shut. */
export interface Gate extends AsyncDisposable {
  port: number;
  /** How many connections were made to it so far. */
  count(): number;
  /** Nothing passes: connections are made, and stay silent. */
  silence(): void;
  /** Every connection ends, and so does each new one. */
  cut(): void;
  /** All passes again, what was held back too. */
  open(): void;
  /** New connections pass; those that went silent stay so. */
  openAnew(): void;
}

/** Opens a gate on a free port of the loopback address. */
export async function openGate(to: { host: string; port: number }): Promise<Gate> {
  const pairs = new Set<[Socket, Socket]>();
  let state: "open" | "silent" | "cut" = "open";
  let count = 0;
  const server = createServer((near) => {
    count += 1;
    if (state === "cut") {
      near.destroy();
      return;
    }
    const far = connect(to.port, to.host);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [one, other] of [pair, pair.toReversed() as typeof pair]) {
      one.on("data", (some) => other.write(some));
      one.on("error", () => {});
      one.on("close", () => {
        other.destroy();
        pairs.delete(pair);
      });
      if (state === "silent") one.pause();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const all = () => [...pairs].flat();
  return {
    port: (server.address() as AddressInfo).port,
    count: () => count,
    silence() {
      state = "silent";
      for (const one of all()) one.pause();
    },
    cut() {
      state = "cut";
      for (const one of all()) one.destroy();
    },
    open() {
      state = "open";
      for (const one of all()) one.resume();
    },
    openAnew() {
      state = "open";
    },
    async [Symbol.asyncDispose]() {
      for (const one of all()) one.destroy();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}
