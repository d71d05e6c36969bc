import { encode } from "dns-packet";
import { describe, expect, test } from "vitest";
import { makeAsk } from "../../engine/dns/ask.ts";
import { resolvers } from "../../engine/dns/resolvers.ts";
import { mostBytes, readMessage, writeQuestion } from "../../engine/dns/wire.ts";
import { nameServerText, readNameServer } from "../../engine/domain/name-server.ts";
import { type DnsFault, startAuthority } from "../servers/dns.ts";
import { domain, oldMx, openWorld, told } from "../servers/dns-world.ts";
import { record } from "../servers/dns-zones.ts";

// What becomes of servers that do not answer as they should, and of those who answer in their place.

describe("a server", () => {
  const first = async (fault: DnsFault | null) => {
    await using world = await openWorld();
    world.own[0].fault = fault;
    const began = performance.now();
    const sight = await world.look({ authoritative: [world.own[0].at] });
    return { said: told(sight.authoritative)[0], took: performance.now() - began, world };
  };

  test.each<[DnsFault, string]>([
    ["silent", "no answer"],
    ["server failure", "server failure"],
    ["refused", "refused"],
    ["lame", "not authoritative"],
    ["garbage", "an answer that cannot be read"],
    ["loop", "an answer that cannot be read"],
    ["wrong question", "an answer to something else"],
    ["cut short", "an answer that was cut short"],
    ["endless", "no answer"],
    ["huge", "too long an answer"],
  ])("that is at fault (%s) is silent in time, with the reason", async (fault, reason) => {
    const { said, took } = await first(fault);
    expect(said).toBe(reason);
    expect(took).toBeLessThan(1500);
  });

  test("says of a name that is not there that it is not", async () => {
    expect((await first("no domain")).said).toBe("no domain null");
  });

  test.each<[DnsFault | null, string[]]>([
    [null, ["udp"]],
    ["truncated", ["udp", "tcp"]],
    ["lower case", ["udp", "tcp"]],
    ["no EDNS", ["udp", "udp"]],
  ])("is heard in a way it can answer (%s)", async (fault, ways) => {
    const { said, world } = await first(fault);
    expect(said).toBe("mx.old.example 3600");
    expect(world.own[0].asked).toEqual(ways.map((way) => `${way} MX ${domain}`));
  });

  test("where nobody listens is silent", async () => {
    await using world = await openWorld();
    const gone = await startAuthority([]);
    await gone[Symbol.asyncDispose]();
    // A broadcast address cannot even be sent to.
    const places = [gone.at, { address: "255.255.255.255", port: 53 }];
    const sight = await world.look({ authoritative: places, withinMs: 60_000 });
    expect(told(sight.authoritative)).toEqual(["no answer", "no answer"]);
  });

  test.each([
    [{ id: "wrong", from: "own port" }, "mx.old.example 3600"],
    [{ id: "right", from: "other port" }, "mx.old.example 3600"],
    // The control: what is forged well enough is taken.
    [{ id: "right", from: "own port" }, "mx.evil.example 3600"],
  ] as const)("is not taken for another that answers in its place (%o)", async (forged, said) => {
    expect((await first({ forged })).said).toBe(said);
  });

  test("on a private network is not asked because a zone names it", async () => {
    await using world = await openWorld();
    const sight = await world.look({ inward: false });
    const reason = "an address inside our own network";
    expect(told(sight.authoritative)).toEqual([reason, reason]);
    expect(world.own.flatMap((one) => one.asked)).toEqual([]);
    // The control: where options say so, it is.
    expect(told((await world.look({ inward: true })).authoritative)[0]).toBe("mx.old.example 3600");
  });
});

describe("a message", () => {
  const sent = writeQuestion({ name: domain, type: "MX", recurse: true }, true);
  const right = encode({
    type: "response",
    id: sent.id,
    questions: [{ name: sent.name, type: "MX" }],
    answers: [oldMx, record("mx.old.example", "A", "192.0.2.10")],
    authorities: [record(domain, "NS", "ns1.dns.example")],
  });

  test("is read, or is not, whatever is in it", () => {
    expect(readMessage(right, sent, "udp").as).toBe("reply");
    const seen = new Set<string>();
    for (let at = 2; at < right.length; at += 1) {
      for (const byte of [0, 1, 0x3f, 0x7f, 0xc0, 0xff]) {
        const spoilt = Buffer.from(right);
        spoilt[at] = byte;
        seen.add(readMessage(spoilt, sent, "tcp").as);
      }
      seen.add(readMessage(right.subarray(0, at), sent, "tcp").as);
    }
    expect([...seen].sort()).toEqual(["fault", "reply", "stray"]);
  });

  test("with an error of the extended kind is an error, though the header alone says none", () => {
    const options = (extendedRcode: number) => ({
      type: "OPT" as const,
      name: ".",
      udpPayloadSize: 1232,
      extendedRcode,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    });
    const reading = (code: number) => {
      const bytes = encode({
        type: "response",
        id: sent.id,
        questions: [{ name: sent.name, type: "MX" }],
        additionals: [options(code)],
      });
      return readMessage(bytes, sent, "udp").as;
    };
    expect([reading(0), reading(1)]).toEqual(["reply", "fault"]);
  });

  test("whose names point at each other a thousand times over is read in a moment", () => {
    const head = encode({
      type: "response",
      id: sent.id,
      questions: [{ name: sent.name, type: "MX" }],
    });
    const chain = Buffer.alloc(mostBytes - head.length);
    // Each pointer leads to the one before it, the first to the name of the question.
    for (let at = 0; at < chain.length - 1; at += 2) {
      chain.writeUInt16BE(0xc000 | (at === 0 ? 12 : head.length + at - 2), at);
    }
    head.writeUInt16BE(0xffff, 6);
    const began = performance.now();
    expect(readMessage(Buffer.concat([head, chain]), sent, "tcp").as).toBe("fault");
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe("the resolvers", () => {
  test("that do not answer leave the servers of the zone unknown, and cost one wait", async () => {
    await using world = await openWorld();
    for (const one of world.resolvers) one.fault = "silent";
    const sight = await world.look();
    expect(sight.authoritative).toEqual([]);
    expect(told(sight.resolvers)).toEqual(["no answer", "no answer"]);
    expect(world.resolvers[0].asked.length).toBeLessThanOrEqual(4);
  });

  test("are enough when one answers", async () => {
    await using world = await openWorld();
    world.resolvers[0].fault = "silent";
    const sight = await world.look();
    expect(told(sight.authoritative)).toEqual(["mx.old.example 3600", "mx.old.example 3600"]);
    expect(told(sight.resolvers)).toEqual(["no answer", "mx.old.example 3600"]);
    expect(sight.missing).toEqual([]);
    // Two tries for what was asked at once, and no more after that.
    expect(world.resolvers[0].asked.length).toBeLessThanOrEqual(4);
  });

  test("are asked so many questions at a time and no more", async () => {
    await using world = await openWorld();
    const [{ at }] = world.resolvers;
    world.resolvers[0].fault = "silent";
    const asking = async (atOnce: number) => {
      const ask = makeAsk({ withinMs: 30, atOnce });
      const began = performance.now();
      const six = Array.from({ length: 6 }, () =>
        ask(at, { name: domain, type: "MX", recurse: true }),
      );
      await Promise.all(six);
      return performance.now() - began;
    };
    // Two tries each, two at a time: six waits one after the other.
    expect(await asking(2)).toBeGreaterThan(170);
    expect(await asking(16)).toBeLessThan(170);
  });

  test("are this machine's own and public ones, each once", () => {
    expect(
      resolvers(["192.0.2.1", "8.8.8.8", "[2001:db8::1]:5353", "fe80::1%eth0"]).map(nameServerText),
    ).toEqual(["192.0.2.1", "8.8.8.8", "[2001:db8::1]:5353", "1.1.1.1", "9.9.9.9"]);
  });

  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1:53", "192.0.2.1"],
    ["192.0.2.1:5353", "192.0.2.1:5353"],
    ["[2001:db8::1]:5353", "[2001:db8::1]:5353"],
    ["2001:db8::1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["dns.example", null],
    ["192.0.2.1:0", null],
    ["192.0.2.1:65536", null],
    ["[192.0.2.1]:53", null],
    ["fe80::1%eth0", null],
    ["", null],
  ])("are written %s: %s", (text, read) => {
    const server = readNameServer(text);
    expect(server === null ? null : nameServerText(server)).toBe(read);
  });
});
