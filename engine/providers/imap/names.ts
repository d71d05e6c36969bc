import type { FolderRole } from "../../domain/item.ts";

/** A folder name as it goes over the wire: modified UTF-7 (RFC 3501 §5.1.3). */
export function encodeName(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === "&") return "&-";
    const utf16 = Buffer.from(run, "utf16le").swap16();
    return `&${utf16.toString("base64").replace(/=+$/, "").replaceAll("/", ",")}-`;
  });
}

/**
 * A folder name as people read it. What does not come back the same when it is encoded stays as it was, and so does
 * what no database keeps: a NUL, half a character.
 */
export function decodeName(wire: string): string {
  const name = wire.replace(/&([A-Za-z0-9+,]*)-/g, (whole, run: string) => {
    if (run === "") return "&";
    const bytes = Buffer.from(run.replaceAll(",", "/"), "base64");
    return bytes.length % 2 === 1 ? whole : bytes.swap16().toString("utf16le");
  });
  const kept = !name.includes("\0") && name.isWellFormed();
  return kept && encodeName(name) === wire ? name : wire;
}

/** The names from the top of the user's namespace down: without its prefix, split at its delimiter. */
export function segmentsOf(path: string, prefix: string, delimiter: string | null): string[] {
  const inside = path.startsWith(prefix) ? path.slice(prefix.length) : path;
  if (delimiter === null) return [inside];
  return inside.split(delimiter).filter((segment) => segment !== "");
}

/** INBOX is the same however it is written; every other name is itself. */
export function canonical(path: string): string {
  return /^inbox$/i.test(path) ? "INBOX" : path;
}

/**
 * Names to try for one level of a target folder, the truest first: as it is but for the delimiter, then made
 * safe for servers that refuse what they could take for a path or a pattern, then in plain letters.
 */
export function nearNames(segment: string, delimiter: string | null): string[] {
  const whole = delimiter === null ? segment : segment.replaceAll(delimiter, "_");
  const safe = cut(
    whole
      .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "_")
      .replace(/[/\\*%"?:<>|]/g, "_")
      .replace(/^[~.]+/, "_")
      .replace(/\.{2,}/g, "_")
      .replace(/[. ]+$/, "_")
      .trim(),
    180,
  );
  const plain = cut(safe.normalize("NFKD").replace(/[^A-Za-z0-9 _.-]/g, "_"), 60);
  return [...new Set([whole, safe, plain].map((name) => name || "_"))];
}

/** The role a name stands for in the user's language, by the list of what mail programs call their folders. */
export function roleByName(segments: readonly string[]): FolderRole | null {
  const [first = "", second] = segments;
  const inside = /^(inbox|\[(gmail|google mail)\])$/i.test(first);
  if (segments.length > (inside ? 2 : 1)) return null;
  const name = (inside && second !== undefined ? second : first).normalize("NFC").toLowerCase();
  return wellKnown.get(name) ?? null;
}

/** The role an attribute of LIST gives (RFC 6154). */
export function roleByAttribute(attributes: readonly string[]): FolderRole | null {
  for (const attribute of attributes) {
    const role = byAttribute.get(attribute.toLowerCase());
    if (role !== undefined) return role;
  }
  return null;
}

const byAttribute = new Map<string, FolderRole>([
  ["\\inbox", "inbox"],
  ["\\sent", "sent"],
  ["\\drafts", "drafts"],
  ["\\trash", "trash"],
  ["\\junk", "junk"],
  ["\\archive", "archive"],
  ["\\all", "all"],
  ["\\flagged", "flagged"],
]);

// English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, Swedish, Danish, Norwegian.
const names: Record<"sent" | "drafts" | "trash" | "junk" | "archive", string[]> = {
  sent: [
    "sent",
    "sent items",
    "sent messages",
    "sent mail",
    "sent-mail",
    "gesendet",
    "gesendete objekte",
    "gesendete elemente",
    "gesendete nachrichten",
    "postausgang gesendet",
    "envoyés",
    "messages envoyés",
    "éléments envoyés",
    "objets envoyés",
    "enviados",
    "elementos enviados",
    "mensajes enviados",
    "correo enviado",
    "inviata",
    "posta inviata",
    "inviati",
    "elementi inviati",
    "verzonden",
    "verzonden items",
    "verzonden berichten",
    "itens enviados",
    "mensagens enviadas",
    "wysłane",
    "elementy wysłane",
    "skickat",
    "skickade objekt",
    "sendt post",
    "sendte elementer",
    "sendt",
  ],
  drafts: [
    "drafts",
    "draft",
    "entwürfe",
    "brouillons",
    "borradores",
    "bozze",
    "concepten",
    "rascunhos",
    "kopie robocze",
    "wersje robocze",
    "utkast",
    "kladder",
    "kladde",
  ],
  trash: [
    "trash",
    "deleted items",
    "deleted messages",
    "bin",
    "papierkorb",
    "gelöschte objekte",
    "gelöschte elemente",
    "gelöscht",
    "corbeille",
    "éléments supprimés",
    "objets supprimés",
    "papelera",
    "elementos eliminados",
    "cestino",
    "posta eliminata",
    "elementi eliminati",
    "prullenbak",
    "prullenmand",
    "verwijderde items",
    "lixeira",
    "itens excluídos",
    "lixo",
    "kosz",
    "elementy usunięte",
    "papperskorgen",
    "borttagna objekt",
    "papirkurv",
    "slettet post",
    "slettede elementer",
  ],
  junk: [
    "junk",
    "junk e-mail",
    "junk email",
    "junk mail",
    "spam",
    "bulk mail",
    "unerwünscht",
    "werbung",
    "junk-e-mail",
    "spamverdacht",
    "courrier indésirable",
    "indésirables",
    "pourriel",
    "correo no deseado",
    "posta indesiderata",
    "ongewenst",
    "ongewenste e-mail",
    "ongewenste reclame",
    "lixo eletrônico",
    "lixo electrónico",
    "wiadomości-śmieci",
    "skräppost",
    "uønsket post",
    "søppelpost",
  ],
  archive: [
    "archive",
    "archives",
    "archiv",
    "archivo",
    "archivio",
    "archief",
    "arquivo",
    "archiwum",
    "arkiv",
  ],
};

const wellKnown = new Map<string, FolderRole>(
  Object.entries(names).flatMap(([role, all]) => all.map((name) => [name, role as FolderRole])),
);

/** At most so many bytes as they go over the wire. */
function cut(name: string, bytes: number): string {
  let short = name;
  while (encodeName(short).length > bytes) short = Array.from(short).slice(0, -1).join("");
  return short;
}
