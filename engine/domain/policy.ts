/** What a vendor counts and allows. Presets as semantics.md lists them; a pass keeps the values it began with. */
export interface Policy {
  preset: "rackspace" | "bittitan" | "cloudiway" | "custom";
  passesPerLicense: number | "unlimited";
  overLimit: "block" | "consume" | "ask";
  deltaWindowDays: number | null;
  remigration: "new license" | "new license, target must be empty";
  updates: "never";
  moves: "duplicate";
  nonMail: "first full pass";
}

const field = { updates: "never", moves: "duplicate", nonMail: "first full pass" } as const;

export const presets = {
  rackspace: {
    preset: "rackspace",
    passesPerLicense: 10,
    overLimit: "ask",
    deltaWindowDays: null,
    remigration: "new license",
    ...field,
  },
  bittitan: {
    preset: "bittitan",
    passesPerLicense: 10,
    overLimit: "ask",
    deltaWindowDays: null,
    remigration: "new license",
    ...field,
  },
  cloudiway: {
    preset: "cloudiway",
    passesPerLicense: "unlimited",
    overLimit: "ask",
    deltaWindowDays: 90,
    remigration: "new license, target must be empty",
    ...field,
  },
} as const satisfies Record<string, Policy>;

export type PresetName = keyof typeof presets;
