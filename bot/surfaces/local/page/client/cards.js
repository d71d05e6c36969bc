// Draws the cards the server sends, with Microsoft's renderer. Text in them is never markup.

const { AdaptiveCard, HostConfig } = globalThis.AdaptiveCards;

const colour = (name) => ({
  default: `var(--${name})`,
  subtle: "var(--subtle)",
});
const foreground = {
  default: colour("text"),
  accent: colour("accent"),
  good: colour("good"),
  warning: colour("warning"),
  attention: colour("bad"),
};
const ground = (backgroundColor) => ({ backgroundColor, foregroundColors: foreground });

const look = new HostConfig({
  fontFamily: "inherit",
  fontTypes: {
    default: {
      fontFamily: "inherit",
      fontSizes: { small: 13, default: 15, medium: 16, large: 18, extraLarge: 22 },
    },
    monospace: {
      fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
      fontSizes: { small: 12, default: 14, medium: 15, large: 17, extraLarge: 20 },
    },
  },
  spacing: { small: 6, default: 8, medium: 12, large: 16, extraLarge: 24, padding: 8 },
  separator: { lineThickness: 1, lineColor: "var(--line)" },
  containerStyles: {
    default: ground("transparent"),
    emphasis: ground("var(--track)"),
    accent: ground("var(--accent)"),
    good: ground("var(--good-ground)"),
    warning: ground("var(--warning-ground)"),
    attention: ground("var(--bad-ground)"),
  },
  actions: {
    maxActions: 6,
    spacing: "medium",
    buttonSpacing: 8,
    actionsOrientation: "horizontal",
    actionAlignment: "left",
  },
  adaptiveCard: { allowCustomStyle: false },
});

/**
 * Draws a card. `act` is called with the command and, where a form was sent, its answers by name; the card's
 * buttons rest until it has ended.
 */
export function drawCard(json, fields, act) {
  const card = new AdaptiveCard();
  card.hostConfig = look;
  card.onExecuteAction = async (action) => {
    if (action.getJsonTypeName() === "Action.OpenUrl") {
      window.open(action.url, "_blank", "noopener");
      return;
    }
    const { command, form, ...answers } = action.data ?? {};
    if (typeof command !== "string") return;
    const buttons = [...(card.renderedElement?.querySelectorAll("button") ?? [])];
    for (const button of buttons) button.disabled = true;
    try {
      await act(command, form === true ? answers : null);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  };
  card.parse(json);
  const element = card.render() ?? document.createElement("div");
  for (const cell of element.querySelectorAll('[role="row"] > *')) release(cell);
  for (const { name, kind } of fields) if (kind === "file") takeFile(card, element, name);
  return element;
}

/** The renderer sets a cell's width where no style sheet can change it; a narrow window has to. */
function release({ style }) {
  style.setProperty("--share", style.flex);
  style.flex = "";
  style.marginLeft = "";
}

/** A file instead of room to paste its text. */
function takeFile(card, element, name) {
  const area = element.querySelector("textarea");
  const input = card.getAllInputs().find((one) => one.id === name);
  if (area === null || input === undefined) return;
  const picker = document.createElement("input");
  picker.type = "file";
  picker.accept = ".csv,text/csv,text/plain";
  picker.setAttribute("aria-label", input.label ?? name);
  picker.addEventListener("change", async () => {
    area.value = (await picker.files?.[0]?.text()) ?? "";
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.dispatchEvent(new Event("change", { bubbles: true }));
  });
  area.hidden = true;
  area.before(picker);
}
