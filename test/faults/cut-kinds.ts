import type { ProxyRule } from "../servers/proxy-rules.ts";

/** A way in which a connection goes wrong. */
export interface CutKind {
  side: "source" | "target";
  name: string;
  /** What it is counted by. */
  on: ProxyRule["on"];
  /** How it is done to the n-th. */
  rules(nth: number): ProxyRule[];
  /** The engine waits for the server, which has gone silent. */
  stalls?: boolean;
  /** A pass may end with errors for it; the next carries what is left. */
  mended?: boolean;
}

const login = /^(LOGIN|AUTHENTICATE) /i;
const list = /^LIST /i;
const select = /^SELECT /i;
const examine = /^EXAMINE /i;
const append = /^APPEND /i;
const listing = /^UID FETCH (?!.*BODY)/i;
const fetch = /^UID FETCH .*BODY/i;

/** One rule, for whichever it is the turn of. */
const the = (on: ProxyRule["on"], done: Done) => ({
  on,
  rules: (nth: number) => [{ on, nth, ...done }],
});
type Done<Rule = ProxyRule> = Rule extends ProxyRule ? Omit<Rule, "on" | "nth"> : never;

/** A word of an answer changed, and the next answer lost: what was believed of the first then matters. */
const misled = (change: (line: string) => string) => ({
  on: append,
  rules: (nth: number): ProxyRule[] => [
    { on: append, nth, do: "rewrite", line: change },
    { on: append, nth: nth + 1, do: "cut before answer" },
  ],
});

const target: Omit<CutKind, "side">[] = [
  { name: "greeting", ...the("greeting", { do: "cut before" }) },
  { name: "login", ...the(login, { do: "cut before answer" }) },
  { name: "LIST", ...the(list, { do: "cut in answer", after: 60 }) },
  { name: "SELECT", ...the(select, { do: "cut in answer", after: 60 }) },
  { name: "APPEND before +", ...the(append, { do: "cut after" }) },
  { name: "APPEND mid-literal", ...the(append, { do: "cut in literal", after: 300 }) },
  { name: "APPEND after literal", ...the(append, { do: "cut after literal" }) },
  { name: "APPEND before OK", ...the(append, { do: "cut before answer" }) },
  { name: "stall", ...the(append, { do: "silence before answer" }), stalls: true },
  { name: "BYE", ...the(append, { do: "bye", with: "going down" }) },
  { name: "RST", ...the(append, { do: "cut before answer", reset: true }) },
  { name: "APPENDUID stripped", ...misled((line) => line.replace(/\[APPENDUID [^\]]*\] /i, "")) },
  {
    name: "APPENDUID swapped",
    ...misled((line) => line.replace(/\[APPENDUID (\d+) (\d+)\]/i, "[APPENDUID $2 $1]")),
  },
  {
    name: "APPENDUID of another UIDVALIDITY",
    ...misled((line) => line.replace(/\[APPENDUID \d+/i, "[APPENDUID 77")),
  },
];

const source: Omit<CutKind, "side">[] = [
  { name: "greeting", ...the("greeting", { do: "cut before" }) },
  { name: "login", ...the(login, { do: "cut before answer" }) },
  { name: "LIST", ...the(list, { do: "cut in answer", after: 60 }) },
  { name: "EXAMINE", ...the(examine, { do: "cut in answer", after: 60 }) },
  { name: "listing", ...the(listing, { do: "cut in answer", after: 200 }) },
  { name: "FETCH before its answer", ...the(fetch, { do: "cut before" }) },
  { name: "FETCH mid-literal", ...the(fetch, { do: "cut in answer", after: 400 }) },
  { name: "FETCH after a literal", ...the(fetch, { do: "cut after answer literal" }) },
  { name: "FETCH before OK", ...the(fetch, { do: "cut before answer" }) },
  { name: "stall", ...the(fetch, { do: "silence in answer", after: 400 }), stalls: true },
  { name: "BYE", ...the(fetch, { do: "bye", with: "going down" }) },
  { name: "RST", ...the(fetch, { do: "cut in answer", after: 400, reset: true }) },
  {
    name: "UIDs left out of a FETCH",
    ...the(fetch, { do: "rewrite", line: (line) => line.replace(/\bUID \d+ ?/, "") }),
    mended: true,
  },
  {
    name: "another UIDVALIDITY",
    ...the(examine, {
      do: "rewrite",
      line: (line) => line.replace(/\[UIDVALIDITY \d+\]/i, "[UIDVALIDITY 77]"),
    }),
  },
];

/** All of F3, fourteen a side. */
export const cutKinds: CutKind[] = [
  ...source.map((kind) => ({ side: "source" as const, ...kind })),
  ...target.map((kind) => ({ side: "target" as const, ...kind })),
];
