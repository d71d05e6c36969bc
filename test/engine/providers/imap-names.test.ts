import { describe, expect, test } from "vitest";
import {
  decodeName,
  encodeName,
  nearNames,
  roleByName,
  segmentsOf,
} from "../../../engine/providers/imap/names.ts";

describe("folder names", () => {
  test("go over the wire in modified UTF-7 and come back", () => {
    expect(encodeName("Entwürfe")).toBe("Entw&APw-rfe");
    expect(encodeName("Büro & Co")).toBe("B&APw-ro &- Co");
    for (const name of ["日本語/台北", "😀 ok", "a&b", "e\u0301 and é", "plain", "&&", "ü-ü"]) {
      expect(decodeName(encodeName(name))).toBe(name);
    }
  });

  test("that are no modified UTF-7 stay as they are", () => {
    for (const wire of ["bad&name", "&A-", "&APw", "&AGE-", "caf\u00e9"]) {
      expect(decodeName(wire)).toBe(wire);
    }
  });

  test("are taken apart at the server's own delimiter, without the namespace's prefix", () => {
    expect(segmentsOf("INBOX.Work.a/b", "INBOX.", ".")).toEqual(["Work", "a/b"]);
    expect(segmentsOf("Work/x.y", "", "/")).toEqual(["Work", "x.y"]);
    expect(segmentsOf("a/b.c", "", null)).toEqual(["a/b.c"]);
  });

  test("get near names where they cannot stay", () => {
    expect(nearNames("a.b", ".")[0]).toBe("a_b");
    expect(nearNames("Work", "/")).toEqual(["Work"]);
    expect(nearNames("../z", "/")[0]).toBe(".._z");
    expect(nearNames("~root", "/")).toEqual(["~root", "_root"]);
    expect(nearNames("a\nb*", "/").at(-1)).toBe("a_b_");
    for (const name of nearNames("ü".repeat(300), "/").slice(1)) {
      expect(encodeName(name).length).toBeLessThanOrEqual(180);
    }
    expect(nearNames("...", "/").every((name) => name !== "")).toBe(true);
  });

  test("tell their role in many languages, at the top alone", () => {
    expect(roleByName(["Gesendete Objekte"])).toBe("sent");
    expect(roleByName(["Éléments envoyés"])).toBe("sent");
    expect(roleByName(["E\u0301le\u0301ments envoye\u0301s"])).toBe("sent");
    expect(roleByName(["PAPIERKORB"])).toBe("trash");
    expect(roleByName(["Posta indesiderata"])).toBe("junk");
    expect(roleByName(["Concepten"])).toBe("drafts");
    expect(roleByName(["Archivo"])).toBe("archive");
    expect(roleByName(["INBOX", "Sent"])).toBe("sent");
    expect(roleByName(["Projects", "Sent"])).toBeNull();
    expect(roleByName(["Sentinel"])).toBeNull();
  });
});
