import type { Panel } from "./panel.ts";
import { follow, of } from "./reading.ts";
import { isName, type Reply } from "./wire.ts";

/** Which of the hosts have no address and which are an alias, as far as resolvers can tell. */
export async function checkHosts(
  hosts: string[],
  panel: Panel,
): Promise<{ missing: string[]; aliases: string[] }> {
  const checked = await Promise.all(
    hosts.map(async (host) => ({ host, ...(await checkHost(host, panel)) })),
  );
  return {
    missing: checked.filter((one) => one.missing).map((one) => one.host),
    aliases: checked.filter((one) => one.alias).map((one) => one.host),
  };
}

async function checkHost(
  host: string,
  panel: Panel,
): Promise<{ missing: boolean; alias: boolean }> {
  // No mail server asks for it either.
  if (!isName(host)) return { missing: true, alias: false };
  const has = (reply: Reply) => hasAddress(reply, host);
  const four = await panel.inTurn(host, "A", has);
  const six = four.some(has) ? [] : await panel.inTurn(host, "AAAA", has);
  const replies = [...four, ...six];
  return {
    // Of both kinds somebody has to know.
    missing: four.length > 0 && six.length > 0 && !replies.some(has),
    alias: replies.some(({ answers }) => of(answers, "CNAME").some((one) => one.name === host)),
  };
}

function hasAddress({ answers }: Reply, host: string): boolean {
  const end = follow(answers, host);
  return answers.some((one) => "address" in one && one.name === end?.name);
}
