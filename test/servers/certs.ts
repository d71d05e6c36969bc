import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Files of one server's certificate, and what a client needs to trust it. */
export interface Certificate {
  certFile: string;
  keyFile: string;
  /** PEM of the authority that signed it. */
  ca: string;
  /** SHA-256 of the certificate, hex pairs joined by colons. */
  fingerprint: string;
}

/**
 * Makes an authority of its own in `directory` and a certificate signed by it. `names` are subject
 * alternative names like `IP:127.0.0.1`; an expired one ended in 2021.
 */
export async function makeCertificate(
  directory: string,
  options: { names?: string[]; expired?: boolean } = {},
): Promise<Certificate> {
  const names = options.names ?? ["DNS:localhost", "IP:127.0.0.1", "IP:127.0.0.2"];
  const at = (name: string) => join(directory, name);
  await openssl(
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=practice-authority -days 3650 -keyout ${at("ca.key")} -out ${at("ca.pem")}`,
  );
  await openssl(
    `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=practice-server -keyout ${at("server.key")} -out ${at("server.csr")}`,
  );
  await writeFile(at("extensions"), `subjectAltName=${names.join(",")}\n`);
  await writeFile(at("index"), "");
  await writeFile(at("serial"), "1000\n");
  await writeFile(at("ca.conf"), authority(directory));
  const [from, to] = options.expired
    ? ["20200101000000Z", "20210101000000Z"]
    : ["20240101000000Z", "20991231000000Z"];
  await openssl(
    `ca -batch -notext -config ${at("ca.conf")} -startdate ${from} -enddate ${to} -extfile ${at("extensions")} -in ${at("server.csr")} -out ${at("server.pem")}`,
  );
  const certificate = new X509Certificate(await readFile(at("server.pem")));
  return {
    certFile: at("server.pem"),
    keyFile: at("server.key"),
    ca: await readFile(at("ca.pem"), "utf8"),
    fingerprint: certificate.fingerprint256,
  };
}

async function openssl(line: string): Promise<void> {
  await run("openssl", line.split(" "));
}

function authority(directory: string): string {
  return `
[ca]
default_ca = practice
[practice]
dir = ${directory}
database = ${directory}/index
serial = ${directory}/serial
new_certs_dir = ${directory}
certificate = ${directory}/ca.pem
private_key = ${directory}/ca.key
default_md = sha256
policy = anything
[anything]
commonName = supplied
`;
}
