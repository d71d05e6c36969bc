import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import type { NameServer } from "../domain/name-server.ts";
import { type Fault, mostBytes, type Reading, readMessage, type Sent } from "./wire.ts";

/** What came of a question sent once: all but a stray message. */
export type Heard = Exclude<Reading, { as: "stray" }>;

export const noAnswer = "no answer";

const unheard = (fault: string): Heard => ({ as: "fault", fault });

/** Sends a question and waits for its answer from the very address and port, at most `withinMs`. Never throws. */
export function askByUdp(server: NameServer, sent: Sent, withinMs: number): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = createSocket(isIP(server.address) === 6 ? "udp6" : "udp4");
    let missed: Fault["fault"] = noAnswer;
    let ended = false;
    const end = (heard: Heard) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      socket.close();
      resolve(heard);
    };
    const timer = setTimeout(() => end(unheard(missed)), withinMs);
    socket.on("error", () => end(unheard(noAnswer)));
    socket.on("message", (bytes) => {
      const reading = readMessage(bytes, sent, "udp");
      if (reading.as === "stray") missed = "an answer to something else";
      else end(reading);
    });
    socket.on("connect", () => {
      if (!ended) socket.send(sent.bytes);
    });
    // Connected, it hears nobody else. A callback here would be given the error that `error` is for.
    socket.connect(server.port, server.address);
  });
}

/** The same by TCP: the first message of the connection, read no further than it needs. Never throws. */
export function askByTcp(server: NameServer, sent: Sent, withinMs: number): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.address, port: server.port, noDelay: true });
    const timer = setTimeout(() => end(unheard(noAnswer)), withinMs);
    const end = (heard: Heard) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(heard);
    };
    let read = Buffer.alloc(0);
    socket.on("error", () => end(unheard(noAnswer)));
    socket.on("close", () => end(unheard(noAnswer)));
    socket.on("connect", () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(sent.bytes.length);
      socket.write(Buffer.concat([length, sent.bytes]));
    });
    socket.on("data", (chunk) => {
      read = Buffer.concat([read, chunk]);
      if (read.length < 2) return;
      const length = read.readUInt16BE(0);
      if (length > mostBytes) return end(unheard("too long an answer"));
      if (read.length < 2 + length) return;
      const reading = readMessage(read.subarray(2, 2 + length), sent, "tcp");
      end(reading.as === "stray" ? unheard("an answer to something else") : reading);
    });
  });
}
