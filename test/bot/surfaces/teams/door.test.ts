import { generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { openTeams } from "../../../../bot/surfaces/teams/open.ts";
import { Secret } from "../../../../engine/domain/secret.ts";
import { tenant } from "../../../servers/teams-side.ts";
import { memoryContacts, openStage } from "./stage.ts";

const app = {
  appId: "00000000-1111-2222-3333-444444444444",
  appPassword: new Secret("app-password-canary"),
  tenantId: tenant,
};

test("a port that another has is refused by the name of its variable", async () => {
  await using stage = await openStage();
  const port = Number(new URL(stage.platform.url()!).port);
  await expect(openStage({ port })).rejects.toThrow(
    `Teams cannot be heard at 127.0.0.1:${port}; something else may listen there. Set TEAMS_PORT.`,
  );
});

test("with an app id, what Teams signed is handled and nothing else is", async () => {
  await using teams = await signer();
  await using stage = await openStage({ ...app, keysUrl: teams.url });
  // Botbuilder prints every bad signature.
  using _ = vi.spyOn(console, "error").mockImplementation(() => {});
  const serviceurl = stage.fake.url;
  const { privateKey: foreign } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const bad = [
    "",
    "Bearer",
    "Bearer garbage",
    "Basic dTpw",
    teams.token({ serviceurl }, foreign),
    teams.token({ serviceurl, iss: "https://attacker.example" }),
    teams.token({ serviceurl, aud: "another-app" }),
    teams.token({ serviceurl, exp: 1 }),
    teams.token({ serviceurl: "https://attacker.example/" }),
    teams.token({ serviceurl }).replace(/\.[^.]*$/, "."),
  ];
  const message = { type: "message", text: "status" };
  const invoke = { type: "invoke", name: "task/fetch", value: { data: { command: "status" } } };
  for (const [at, authorization] of bad.entries()) {
    for (const change of [message, invoke]) {
      const response = await stage.side.send(change, authorization === "" ? {} : { authorization });
      expect([at, response.status]).toEqual([at, 401]);
    }
  }
  expect(stage.heard).toEqual([]);
  expect(stage.fake.asked).toEqual([]);

  const authorization = teams.token({ serviceurl });
  expect((await stage.side.send(invoke, { authorization })).status).toBe(200);
  expect(stage.heard).toHaveLength(1);
});

test("where the keys of Teams cannot be had, Teams is asked to come again", async () => {
  await using teams = await signer();
  await using stage = await openStage({ ...app, keysUrl: "http://127.0.0.1:1/" });
  const authorization = teams.token({ serviceurl: stage.fake.url });
  expect((await stage.side.send({ type: "message" }, { authorization })).status).toBe(503);
  expect(stage.heard).toEqual([]);
});

test("without an app id, this machine is heard and answered, and no other", async () => {
  await using stage = await openStage();
  const message = { type: "message", text: "status" };
  const refused = [
    await stage.side.send({ ...message, serviceUrl: "https://smba.trafficmanager.net/teams/" }),
    await stage.side.send({ ...message, serviceUrl: "http://127.0.0.1.attacker.example/" }),
    await stage.side.send(message, { origin: "https://attacker.example" }),
  ];
  expect(refused.map((response) => response.status)).toEqual([403, 403, 403]);
  expect(stage.heard).toEqual([]);
  expect((await stage.side.send(message)).status).toBe(202);
  await stage.until(() => stage.heard.length === 1);
});

test("without an app id it listens on no other address", async () => {
  const others = ["0.0.0.0", "::", "192.168.1.7", "127.attacker.example", ""];
  for (const host of others) {
    await expect(openTeams(options(host)), host).rejects.toThrow("Set MICROSOFT_APP_ID");
  }
  for (const host of ["127.0.0.1", "localhost", "::1"]) {
    const platform = await openTeams(options(host));
    expect(await platform.check()).toContain("a test client on this machine");
  }
});

test("an app id without its password or tenant is refused", async () => {
  for (const missing of ["appPassword", "tenantId"]) {
    const some = { ...options("0.0.0.0"), ...app, [missing]: null };
    await expect(openTeams(some)).rejects.toThrow("MICROSOFT_APP_TENANT_ID");
  }
});

test("what is no activity is refused, and what is none of ours is taken and left alone", async () => {
  await using stage = await openStage();
  const url = stage.platform.url()!;
  const json = { "content-type": "application/json" };
  const bodies = ["", "{", "[]", '{"type":"message"}', `"${"x".repeat(2_000_000)}"`];
  const statuses = [];
  for (const body of bodies) {
    statuses.push((await fetch(url, { method: "POST", headers: json, body })).status);
  }
  expect(statuses).toEqual([400, 400, 400, 400, 413]);
  expect((await fetch(url)).status).toBe(404);
  expect((await stage.side.send({ type: "typing" })).status).toBe(202);
  expect((await stage.side.send({ type: "invoke", name: "composeExtension/query" })).status).toBe(
    501,
  );
  const odd = { type: "invoke", name: "adaptiveCard/action", value: { action: { data: [] } } };
  expect((await stage.side.send(odd)).status).toBe(501);
  expect(stage.heard).toEqual([]);
});

function options(host: string) {
  return {
    appId: null,
    appPassword: null,
    tenantId: null,
    host,
    port: 0,
    contacts: memoryContacts(),
    log: { warn() {}, error() {} },
    clock: { now: () => 0, sleep: async () => {} },
  };
}

const issuer = "https://api.botframework.com";

/** Whoever signs for Teams: keys, where they are described, and tokens. */
async function signer() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n, e } = publicKey.export({ format: "jwk" });
  const keys = [{ kid: "one", kty: "RSA", n, e, endorsements: ["msteams"] }];
  const server = createServer((request, response) => {
    const at = `http://${request.headers.host}`;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(request.url === "/keys" ? { keys } : { jwks_uri: `${at}/keys` }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    token(claims: object, key = privateKey) {
      const now = Math.floor(Date.now() / 1000);
      const good = { iss: issuer, aud: app.appId, nbf: now - 5, exp: now + 600 };
      const head = part({ alg: "RS256", typ: "JWT", kid: "one" });
      const body = part({ ...good, ...claims });
      const signature = sign("sha256", Buffer.from(`${head}.${body}`), key);
      return `Bearer ${head}.${body}.${signature.toString("base64url")}`;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
