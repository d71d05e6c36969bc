import { describe, expect, test } from "vitest";
import { nameServerText } from "../../engine/domain/name-server.ts";
import { acme, change, domain, newMx, openWorld, others, told } from "../servers/dns-world.ts";
import { mx, record } from "../servers/dns-zones.ts";

// What the DNS says, asked of real servers on this machine. Their faults: dns-faults.test.ts.

describe("a change of the MX", () => {
  test("is seen at the zone's servers at once, and at each resolver when it has forgotten the old one", async () => {
    await using world = await openWorld();
    const before = await world.look();
    expect(before.at).toBe(world.clock.now());
    expect(before.authoritative.map((one) => one.server)).toEqual([
      "ns1.dns.example",
      "ns2.dns.example",
    ]);
    expect(before.resolvers.map((one) => one.server)).toEqual(
      world.resolvers.map((one) => nameServerText(one.at)),
    );
    expect(told(before.authoritative)).toEqual(["mx.old.example 3600", "mx.old.example 3600"]);
    expect(told(before.resolvers)).toEqual(["mx.old.example 3600", "mx.old.example 3600"]);
    expect(before).toMatchObject({ missing: [], aliases: [] });

    world.clock.advance(600);
    change(world.own[0], newMx);
    const split = await world.look();
    expect(told(split.authoritative)).toEqual(["mx.new.example 300", "mx.old.example 3600"]);
    expect(told(split.resolvers)).toEqual(["mx.old.example 3000", "mx.old.example 3000"]);

    change(world.own[1], newMx);
    world.clock.advance(3000);
    const after = await world.look();
    expect(told(after.authoritative)).toEqual(["mx.new.example 300", "mx.new.example 300"]);
    expect(told(after.resolvers)).toEqual(["mx.new.example 300", "mx.new.example 300"]);
    expect(after.missing).toEqual([]);
  });

  test("is asked of the resolvers to find out, and of the zone's servers for what they know", async () => {
    await using world = await openWorld();
    await world.look();
    expect(world.own[1].asked).toEqual([`udp MX ${domain}`]);
    expect(world.resolvers[1].asked).toContain(`udp NS ${domain} recursive`);
  });

  test("is asked of the servers that are configured, in place of those the zone names", async () => {
    await using world = await openWorld();
    const sight = await world.look({ authoritative: [world.own[1].at] });
    expect(sight.authoritative).toMatchObject([
      { server: nameServerText(world.own[1].at), outcome: "answered" },
    ]);
    expect(world.own[0].asked).toEqual([]);
  });
});

describe("hosts", () => {
  test("come in lower case, harmless, by preference and name, each once, and no more than 32", async () => {
    const many = Array.from({ length: 40 }, (_, n) => mx(domain, `m${n}.many.example`, 50));
    await using world = await openWorld(
      acme(
        mx(domain, "MX2.New.Example", 20),
        mx(domain, "b.new.example", 10),
        mx(domain, "a\u202e.new.example", 10),
        mx(domain, "b.new.example", 30),
        ...many,
      ),
    );
    const { authoritative, missing } = await world.look();
    const hosts = authoritative[0]?.outcome === "answered" ? authoritative[0].hosts : [];
    expect(hosts).toHaveLength(32);
    expect(hosts.slice(0, 3)).toEqual([
      { host: "a .new.example", preference: 10 },
      { host: "b.new.example", preference: 10 },
      { host: "mx2.new.example", preference: 20 },
    ]);
    expect(missing).toContain("a .new.example");
    // Nobody can be asked for what is no name.
    expect(world.resolvers[0].asked.join("\n")).toContain("mx2.new.example");
    expect(world.resolvers[0].asked.join("\n")).not.toContain("a .new.example");
  });

  test("without an address are missing, and those that are an alias are named", async () => {
    await using world = await openWorld(
      acme(
        mx(domain, "mx.old.example"),
        mx(domain, "gone.new.example"),
        mx(domain, "mail.new.example"),
        mx(domain, "dead.new.example"),
      ),
      others(
        record("mail.new.example", "CNAME", "mx.new.example"),
        record("dead.new.example", "CNAME", "nowhere.new.example"),
      ),
    );
    const sight = await world.look();
    expect(sight.missing.sort()).toEqual(["dead.new.example", "gone.new.example"]);
    expect(sight.aliases.sort()).toEqual(["dead.new.example", "mail.new.example"]);
  });

  test("that no resolver can tell of are not called missing", async () => {
    await using world = await openWorld(acme(mx(domain, "gone.new.example")));
    for (const one of world.resolvers) one.fault = "silent";
    const sight = await world.look({ authoritative: world.own.map((one) => one.at) });
    expect(told(sight.authoritative)[0]).toBe("gone.new.example 3600");
    expect(told(sight.resolvers)).toEqual(["no answer", "no answer"]);
    expect(sight.missing).toEqual([]);
  });
});

describe("a domain", () => {
  test("without MX takes no mail, for as long as that may be remembered", async () => {
    await using world = await openWorld(acme());
    const sight = await world.look();
    expect(told(sight.authoritative)).toEqual(["none 300", "none 300"]);
    expect(told(sight.resolvers)).toEqual(["none 300", "none 300"]);
  });

  test("that says it takes none takes none (RFC 7505)", async () => {
    await using world = await openWorld(acme(mx(domain, ".", 0, 60)));
    const sight = await world.look();
    expect(told(sight.authoritative)).toEqual(["none 60", "none 60"]);
    expect(sight.missing).toEqual([]);
  });

  test("that is not there is none, by the servers of what is above it too", async () => {
    await using world = await openWorld();
    const sight = await world.look({}, `nobody.${domain}`);
    expect(told(sight.authoritative)).toEqual(["no domain 300", "no domain 300"]);
    expect(told(sight.resolvers)).toEqual(["no domain 300", "no domain 300"]);
  });

  test("below its zone is asked at the servers of that", async () => {
    await using world = await openWorld(acme(mx(`mail.eu.${domain}`, "mx.old.example")));
    const sight = await world.look({}, `Mail.EU.${domain}.`);
    expect(told(sight.authoritative)).toEqual(["mx.old.example 3600", "mx.old.example 3600"]);
  });

  test("that is an alias has the mail of what it leads to, also in another zone", async () => {
    const alias = record(`www.${domain}`, "CNAME", "real.example", 120);
    await using world = await openWorld(
      acme(alias),
      others(record("example", "NS", "ns1.dns.example"), mx("real.example", "mx.new.example")),
    );
    const sight = await world.look({}, `www.${domain}`);
    expect(told(sight.resolvers)).toEqual(["mx.new.example 120", "mx.new.example 120"]);
    // The second server does not know the other zone: its own server does, which has answered already.
    expect(sight.authoritative.map((one) => one.server)).toEqual(["ns1.dns.example"]);
    expect(told(sight.authoritative)).toEqual(["mx.new.example 120"]);
    // The control: asked alone, it has only the alias to tell.
    const alone = await world.look({ authoritative: [world.own[1].at] }, `www.${domain}`);
    expect(told(alone.authoritative)).toEqual(["refused"]);
  });

  test("that is an alias of itself is no answer, and no end of questions", async () => {
    await using world = await openWorld(
      acme(
        record(`a.${domain}`, "CNAME", `b.${domain}`),
        record(`b.${domain}`, "CNAME", `a.${domain}`),
      ),
    );
    const round = "its aliases go round in a circle";
    const sight = await world.look({}, `a.${domain}`);
    expect(told([...sight.authoritative, ...sight.resolvers])).toEqual([
      round,
      round,
      round,
      round,
    ]);
  });

  test("that is an alias from zone to zone is followed for a while, and not in a circle", async () => {
    const alias = (from: string, to: string) => record(from, "CNAME", to);
    const steps = [1, 2, 3, 4, 5, 6];
    await using world = await openWorld(
      acme(
        ...steps.map((n) => alias(`a${n}.${domain}`, `b${n}.example`)),
        mx(`a7.${domain}`, "mx.new.example"),
        alias(`round.${domain}`, "round.example"),
      ),
      others(
        record("example", "NS", "ns1.dns.example"),
        record(domain, "NS", "ns2.dns.example"),
        ...steps.map((n) => alias(`b${n}.example`, `a${n + 1}.${domain}`)),
        alias("round.example", `round.${domain}`),
      ),
    );
    const [other, own] = world.own;
    // Each knows one of the two zones.
    other.zones = other.zones.filter((one) => one.origin !== domain);
    for (const zone of own.zones) {
      zone.records = zone.records.filter(
        (one) => !("data" in one && one.data === "ns1.dns.example"),
      );
    }
    const said = async (name: string) => told((await world.look({}, name)).authoritative);
    expect(await said(`a6.${domain}`)).toEqual(["mx.new.example 3600"]);
    expect(await said(`round.${domain}`)).toEqual(["too many aliases"]);
    const asked = () => other.asked.length + own.asked.length;
    const before = asked();
    expect(await said(`a1.${domain}`)).toEqual(["too many aliases"]);
    expect(asked() - before).toBe(5);
  });

  test("that is no name is refused", async () => {
    await using world = await openWorld();
    await expect(world.look({}, "acme example")).rejects.toThrow("no name in the DNS");
  });
});
