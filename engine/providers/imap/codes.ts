// What sockets, TLS and imapflow throw, by what it means.

/** The other side said nothing more. */
export const silentCodes = [
  "ETIMEOUT",
  "ETIMEDOUT",
  "CONNECT_TIMEOUT",
  "GREETING_TIMEOUT",
  "UPGRADE_TIMEOUT",
];

/** This machine can open no more connections for now. */
export const spentCodes = ["EMFILE", "ENFILE", "ENOBUFS"];

/** The connection is gone or cannot be made; time mends it. */
export const goneCodes = [
  ...silentCodes,
  ...spentCodes,
  "NoConnection",
  "EConnectionClosed",
  "StateLogout",
  "ClosedAfterConnectText",
  "ClosedAfterConnectTLS",
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ERR_STREAM_DESTROYED",
  "ResponseProcessingFailed",
  "InvalidResponse",
  "UnexpectedTag",
];

/** The other side is not who it should be. */
export const certificateCodes = [
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_CHAIN_TOO_LONG",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
];
