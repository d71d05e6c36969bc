/** A secret value that shows itself to nobody who does not ask: not to logs, JSON or string templates. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return "[secret]";
  }
  toJSON(): string {
    return "[secret]";
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/** Seals secrets for the database: AES-256-GCM, with the key's id in the text and `place` as associated data. */
export interface Sealer {
  /** `place` says whose secret it is, like `endpoint/3/master`: a sealed text moved elsewhere does not open. */
  seal(secret: Secret, place: string): string;
  /** Throws `UserError` when the key is not there, the text was changed or it stands in another place. */
  open(sealed: string, place: string): Secret;
}
