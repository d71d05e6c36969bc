import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { commands } from "../../../../bot/commands/table.ts";

const script = path.resolve("scripts/teams-package.ts");
const appId = "1f2e3d4c-0000-4000-8000-123456789abc";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "godwit-package-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Manifest {
  id: string;
  manifestVersion: string;
  validDomains: string[];
  bots: {
    botId: string;
    scopes: string[];
    supportsTargetedMessages?: boolean;
    commandLists: { triggers?: string[]; commands: { title: string; description: string }[] }[];
  }[];
}

test("the package names the app and its host, and offers commands that there are", async () => {
  const { manifest, files } = await made("--app-id", appId, "--host", "bot.example.com");
  expect([...files.keys()]).toEqual(["manifest.json", "color.png", "outline.png"]);
  expect(sizeOf(files.get("color.png"))).toEqual([192, 192]);
  expect(sizeOf(files.get("outline.png"))).toEqual([32, 32]);
  expect(manifest).toMatchObject({ id: appId, validDomains: ["bot.example.com"] });
  const [bot] = manifest.bots;
  expect(bot).toMatchObject({ botId: appId, scopes: ["team", "groupChat", "personal"] });
  expect(bot?.supportsTargetedMessages).toBeUndefined();
  const offered = bot?.commandLists[0]?.commands ?? [];
  const known = new Set(commands.map((command) => command.name));
  expect(offered.map(({ title }) => title).filter((title) => !known.has(title))).toEqual([]);
  expect(offered.length).toBeLessThanOrEqual(10);
  expect(offered.every(({ description }) => description.length <= 128)).toBe(true);
});

test("slash commands are declared only when they are asked for, with the schema that knows them", async () => {
  const { manifest } = await made("--app-id", appId, "--slash");
  expect(manifest).toMatchObject({ manifestVersion: "devPreview", validDomains: [] });
  expect(manifest.bots[0]).toMatchObject({
    supportsTargetedMessages: true,
    commandLists: [{ triggers: ["mention", "slash"] }],
  });
});

test("the same input gives the same bytes", async () => {
  const first = await made("--app-id", appId);
  expect((await made("--app-id", appId)).bytes.equals(first.bytes)).toBe(true);
});

test("an app id that is none, or a host with more than its name, makes no package", async () => {
  const refused = { code: 2, stderr: expect.stringContaining("--app-id is the application id") };
  await expect(made("--app-id", "godwit")).rejects.toMatchObject(refused);
  await expect(made()).rejects.toMatchObject(refused);
  await expect(made("--app-id", appId, "--host", "https://bot.example.com/")).rejects.toMatchObject(
    { code: 2, stderr: expect.stringContaining("--host is a name alone") },
  );
});

async function made(...words: string[]) {
  await promisify(execFile)(process.execPath, [script, ...words], { cwd: folder });
  const bytes = await readFile(path.join(folder, "godwit-teams.zip"));
  const files = unzipped(bytes);
  const manifest: Manifest = JSON.parse(String(files.get("manifest.json")));
  return { bytes, files, manifest };
}

/** What an archive holds, read from its index as those who open it do. */
function unzipped(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = archive.length - 22;
  expect(archive.readUInt32LE(end)).toBe(0x06054b50);
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    expect(archive.readUInt32LE(at)).toBe(0x02014b50);
    const length = archive.readUInt16LE(at + 28);
    const local = archive.readUInt32LE(at + 42);
    expect(archive.readUInt32LE(local)).toBe(0x04034b50);
    const begin = local + 30 + archive.readUInt16LE(local + 26);
    const content = archive.subarray(begin, begin + archive.readUInt32LE(at + 20));
    expect(crc32(content)).toBe(archive.readUInt32LE(at + 16));
    files.set(archive.subarray(at + 46, at + 46 + length).toString(), content);
    at += 46 + length;
  }
  expect(at).toBe(end);
  return files;
}

function sizeOf(png: Buffer | undefined): [number, number] | undefined {
  return png && [png.readUInt32BE(16), png.readUInt32BE(20)];
}
