export const reasons = ["deleted", "config", "target", "errors"] as const;
/** Why a mailbox is carried again from scratch: the field's four. */
export type Because = (typeof reasons)[number];
