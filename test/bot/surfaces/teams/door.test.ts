import { generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { openTeams } from "../../../../bot/surfaces/teams/open.ts";
import { Secret } from "../../../../engine/domain/secret.ts";
import { tenant } from "../../../servers/teams-side.ts";
import { memoryContacts, openStage } from "./stage.ts";

const app = {
  appId: "00000000-1111-2222-3333-444444444444",
  appPassword: new Secret("app-password-canary"),
  tenantId: tenant,
};

test("with an app id, nothing that Teams did not sign is handled", async () => {
  await using stage = await openStage(app);
  const message = { type: "message", text: "status" };
  const tokens = ["", "Bearer", "Bearer garbage", "Basic dTpw", `Bearer ${selfSigned()}`];
  for (const authorization of tokens) {
    const response = await stage.side.send(message, authorization === "" ? {} : { authorization });
    expect([authorization, response.status]).toEqual([authorization, 401]);
    const invoke = { type: "invoke", name: "task/fetch", value: { data: { command: "status" } } };
    expect((await stage.side.send(invoke, { authorization })).status).toBe(401);
  }
  expect(stage.heard).toEqual([]);
  expect(stage.fake.asked).toEqual([]);
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

test("the password stands in no error", async () => {
  await using stage = await openStage(app);
  const error: unknown = await stage.platform.check().catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("Teams cannot be used");
  expect(String(error)).not.toContain("canary");
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

/** A token in good form that says it is from the Bot Connector, signed by somebody else. */
function selfSigned(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const head = part({ alg: "RS256", typ: "JWT", kid: "unknown" });
  const body = part({ iss: "https://example.com", aud: app.appId, nbf: now, exp: now + 600 });
  const signature = sign("sha256", Buffer.from(`${head}.${body}`), privateKey);
  return `${head}.${body}.${signature.toString("base64url")}`;
}
