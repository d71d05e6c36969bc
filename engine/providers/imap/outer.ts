import { lookup } from "node:dns/promises";
import { UserError } from "../../domain/errors.ts";
import { isInner } from "../../domain/network.ts";

/**
 * The address to connect to of a host that must not lead inside: looked at here and used as it is, since a
 * second look-up could answer another one. Throws `UserError` where any of its addresses is inside; what is
 * there is not told. Throws the resolver's error where there is none.
 */
export async function outerAddress(
  host: string,
  endpoint: string,
  resolve: (host: string) => Promise<string[]> = everyAddress,
): Promise<string> {
  const addresses = await resolve(host);
  const [first] = addresses;
  if (first !== undefined && !addresses.some(isInner)) return first;
  throw new UserError(
    `${host} leads into a private network, and it was named from a chat. Nothing was carried. Whoever runs Godwit can type \`endpoint set ${endpoint} imaps://<host>\` in its own terminal, or list the host in GODWIT_ENDPOINTS_ALLOWED and then have it typed in the chat.`,
  );
}

async function everyAddress(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.map((one) => one.address);
}
