import { userInfo } from "node:os";
import type { Certificate } from "./certs.ts";

/** What a test can ask of its Dovecot. Without any: sdbox, `/`, no prefix, English special-use folders. */
export interface DovecotOptions {
  separator?: "/" | "." | "\\";
  /** Of the personal namespace, like `INBOX.`. */
  prefix?: string;
  location?: "sdbox" | "maildir" | "mdbox";
  /** Names of the special-use folders, made at the first login. */
  specialUse?: "english" | "german" | "none";
  /** Storage limit of every mailbox, like `64k`. */
  quota?: string;
  /** `quota_max_mail_size`, like `100k`. */
  maxMailSize?: string;
  /** `mail_max_userip_connections`. */
  connections?: number;
  /** Announces LOGINDISABLED before TLS; needs `listen` other than where clients come from. */
  plaintextRefused?: boolean;
  /** 127.0.0.2 makes connections from 127.0.0.1 count as insecure. */
  listen?: string;
  certificate?: { names?: string[]; expired?: boolean };
  /** Lines added to the end of the configuration. */
  extra?: string[];
}

const specialNames = {
  english: { Sent: "Sent", Drafts: "Drafts", Trash: "Trash", Junk: "Junk", Archive: "Archive" },
  german: {
    Sent: "Gesendete Objekte",
    Drafts: "Entwürfe",
    Trash: "Papierkorb",
    Junk: "Unerwünscht",
    Archive: "Archiv",
  },
  none: {},
};

/** The whole dovecot.conf. */
export function config(
  directory: string,
  at: { host: string; port: number; tlsPort: number },
  certificate: Certificate,
  options: DovecotOptions,
): string {
  const root = process.getuid?.() === 0;
  const me = userInfo();
  const [uid, gid] = root ? [5000, 5000] : [me.uid, me.gid];
  const separator = options.separator ?? "/";
  return `
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = ${directory}/dovecot.log
protocols = imap
listen = ${at.host}
ssl = yes
ssl_cert = <${certificate.certFile}
ssl_key = <${certificate.keyFile}
ssl_dh =
disable_plaintext_auth = ${options.plaintextRefused ? "yes" : "no"}
auth_mechanisms = plain login
auth_master_user_separator = *
auth_failure_delay = 0
auth_cache_size = 0
default_internal_user = ${root ? "dovecot" : me.username}
default_login_user = ${root ? "dovenull" : me.username}
first_valid_uid = 1
mail_uid = ${uid}
mail_gid = ${gid}
mail_location = ${location(directory, options.location ?? "sdbox")}
mail_max_userip_connections = ${options.connections ?? 200}
mail_fsync = never
default_client_limit = 2000
imap_id_log = *
namespace inbox {
  inbox = yes
  separator = ${separator}
  prefix = ${options.prefix ?? ""}
${specialFolders(options.specialUse ?? "english")}
}
passdb {
  driver = passwd-file
  args = ${directory}/master.passwd
  master = yes
}
passdb {
  driver = static
  args = password=pass
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${directory}/mail/%u
}
service imap-login {
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    port = ${at.port}
  }
  inet_listener imaps {
    port = ${at.tlsPort}
    ssl = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap {
  process_limit = 512
}
${root ? "" : "service imap-login {\n  chroot =\n}\nservice anvil {\n  chroot =\n}\nservice stats {\n  chroot =\n}\n"}
${quota(options)}
${(options.extra ?? []).join("\n")}
`;
}

function location(directory: string, format: "sdbox" | "maildir" | "mdbox"): string {
  return `${format}:${directory}/mail/%u/${format}`;
}

function specialFolders(names: "english" | "german" | "none"): string {
  return Object.entries(specialNames[names])
    .map(
      ([use, name]) =>
        `  mailbox "${name}" {\n    special_use = \\${use}\n    auto = subscribe\n  }`,
    )
    .join("\n");
}

function quota(options: DovecotOptions): string {
  if (options.quota === undefined && options.maxMailSize === undefined) return "";
  return `
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=${options.quota ?? "1G"}
  quota_grace = 0
${options.maxMailSize === undefined ? "" : `  quota_max_mail_size = ${options.maxMailSize}`}
}`;
}
