import { createServer } from "node:net";
import { expect, test } from "vitest";
import { openServerLocks } from "../../db/server-locks.ts";

test("a database that takes the connection and says nothing is given up, and asked anew", async () => {
  let met = 0;
  await using server = createServer((socket) => {
    met += 1;
    socket.resume();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as { port: number };
  await using locks = openServerLocks(`postgres://u@127.0.0.1:${port}/x`, {
    every: 50,
    within: 200,
  });

  for (const time of [1, 2]) {
    await expect(locks.take(1, 1)).rejects.toThrow(/timeout/);
    expect(met).toBe(time);
  }
});
