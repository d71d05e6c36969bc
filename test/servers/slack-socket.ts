import type { Server } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import type { Sent, SlackWire } from "./slack-wire.ts";

/** Slack's side of Socket Mode. */
export interface SocketSide {
  wire: SlackWire;
  /** Sends without waiting to be acknowledged; what is not is sent again over the next socket. */
  push(kind: Sent, payload: Record<string, unknown>): void;
  /** How many sockets are open, and how many ever were. */
  sockets(): { open: number; ever: number };
  /** Envelopes that were acknowledged, in order, with how often each was. */
  acknowledged: Map<string, number>;
  /** While true, acknowledgements are lost on their way. */
  deaf: boolean;
  /** Cuts every socket without a word. */
  cut(): void;
  /** Asks the bot to come back on a new socket. */
  refresh(): void;
  close(): void;
}

interface Waiting {
  kind: Sent;
  payload: Record<string, unknown>;
  attempt: number;
  done(): void;
}

export function socketSide(server: Server): SocketSide {
  const sockets = new WebSocketServer({ server, path: "/link" });
  const waiting = new Map<string, Waiting>();
  let ever = 0;
  let envelopes = 0;

  const deliver = (one: Waiting) => {
    envelopes += 1;
    const envelope_id = `envelope-${envelopes}`;
    waiting.set(envelope_id, one);
    const socket = [...sockets.clients].find((each) => each.readyState === each.OPEN);
    socket?.send(
      JSON.stringify({
        type: one.kind,
        envelope_id,
        payload: one.payload,
        accepts_response_payload: one.kind !== "events_api",
        retry_attempt: one.attempt,
        retry_reason: one.attempt === 0 ? "" : "timeout",
      }),
    );
  };
  /** What was sent and not acknowledged is sent again. */
  const again = () => {
    const all = [...waiting];
    waiting.clear();
    for (const [, one] of all) deliver({ ...one, attempt: one.attempt + 1 });
  };

  sockets.on("connection", (socket: WebSocket) => {
    ever += 1;
    socket.on("message", (data) => {
      const { envelope_id } = JSON.parse(String(data)) as { envelope_id: string };
      if (side.deaf) return;
      side.acknowledged.set(envelope_id, (side.acknowledged.get(envelope_id) ?? 0) + 1);
      waiting.get(envelope_id)?.done();
      waiting.delete(envelope_id);
    });
    socket.send(
      JSON.stringify({ type: "hello", num_connections: sockets.clients.size, debug_info: {} }),
    );
    again();
  });

  const side: SocketSide = {
    wire: {
      send: (kind, payload) =>
        new Promise((done) => {
          deliver({ kind, payload, attempt: 0, done });
        }),
    },
    push: (kind, payload) => deliver({ kind, payload, attempt: 0, done() {} }),
    sockets: () => ({ open: sockets.clients.size, ever }),
    acknowledged: new Map(),
    deaf: false,
    cut() {
      for (const socket of sockets.clients) socket.terminate();
    },
    refresh() {
      for (const socket of sockets.clients) {
        socket.send(JSON.stringify({ type: "disconnect", reason: "refresh_requested" }));
      }
    },
    close() {
      side.cut();
      sockets.close();
    },
  };
  return side;
}
