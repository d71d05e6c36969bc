// The channel: root messages with their threads, what only you see, and the line you type on.
import { drawCard } from "./cards.js";
import { timeOf, turnDay } from "./times.js";

const at = (id) => document.getElementById(id);
const [log, channel, line, composer, as] = ["log", "channel", "line", "composer", "as"].map(at);
const template = at("root-template");

/** Replies shown of a thread before somebody asks for all of them. */
const shown = 6;
const typed = [];
let back = 0;
let thread = null;
let feed = null;
const roots = new Map();

/** Says a line; answers whether it was taken. */
async function say(text, place, values) {
  at("fault").hidden = true;
  try {
    const response = await fetch("/say", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: crypto.randomUUID(), as: as.value, text, thread: place, values }),
    });
    if (response.ok) return true;
    fault(
      response.status === 403
        ? "Godwit was started anew: open the address it prints."
        : response.status === 503
          ? await response.text()
          : `That was not taken (${response.status}).`,
    );
  } catch {
    fault("Godwit does not answer. Is it still running?");
  }
  return false;
}

function fault(text) {
  at("fault").textContent = text;
  at("fault").hidden = false;
}

/** A card, whose buttons say their commands in this place. */
function card({ card: json, fields, file, pictures }, place) {
  const holder = document.createElement("div");
  holder.className = "card";
  const element = drawCard(json, fields, async (command, answers) => {
    const values =
      answers === null
        ? null
        : fields.map(({ name, kind }) => ({ name, kind, value: String(answers[name] ?? "") }));
    const taken = await say(command, place, values);
    // What was typed into a form stays nowhere.
    if (taken && values !== null) holder.replaceChildren(note("Sent."));
  });
  holder.append(element, ...pictures.map(figure));
  if (file !== null) holder.append(download(file));
  return holder;
}

function note(text) {
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  return paragraph;
}

/** A picture, in a frame that scrolls where it would be too small to read, by keys too. */
function figure({ title, alt, png, width, height }) {
  const holder = document.createElement("figure");
  holder.tabIndex = 0;
  holder.setAttribute("aria-label", title);
  const image = document.createElement("img");
  image.src = `data:image/png;base64,${png}`;
  Object.assign(image, { alt, width, height });
  holder.append(image);
  return holder;
}

function download({ name, content }) {
  const link = document.createElement("a");
  link.className = "download";
  link.textContent = `Save ${name}`;
  link.download = name;
  link.href = `data:text/csv;charset=utf-8,${encodeURIComponent(content)}`;
  return link;
}

function addRoot(found) {
  const item = template.content.firstElementChild.cloneNode(true);
  const root = {
    item,
    name: found.text.split("\n", 1)[0].slice(0, 80),
    replies: item.querySelector(".thread ol"),
    section: item.querySelector(".thread"),
    earlier: item.querySelector(".earlier"),
    all: false,
  };
  item.querySelector(".card").replaceWith(card(found, found.thread));
  timeOf(item.querySelector("time"), found.at);
  item.querySelector(".answer").addEventListener("click", () => enter(found.thread));
  root.earlier.addEventListener("click", () => {
    root.all = true;
    fold(root);
  });
  roots.set(found.thread, root);
  append(item);
}

function edit(found) {
  const root = roots.get(found.thread);
  if (root === undefined) return addRoot(found);
  const old = root.item.querySelector(".card");
  const held = old.contains(document.activeElement);
  const drawn = card(found, found.thread);
  old.replaceWith(drawn);
  root.name = found.text.split("\n", 1)[0].slice(0, 80);
  // Whoever stood on a button that is gone goes on at the line.
  if (held) (drawn.querySelector("button") ?? line).focus();
}

function reply(found) {
  const root = roots.get(found.thread);
  if (root === undefined) return;
  const item = document.createElement("li");
  const when = document.createElement("time");
  timeOf(when, found.at);
  item.append(when, card(found, found.thread));
  root.replies.append(item);
  root.section.hidden = false;
  fold(root);
  if (found.aloud) notice(root, found);
}

/** Long threads show their end. */
function fold(root) {
  const all = [...root.replies.children];
  const hidden = root.all ? 0 : Math.max(0, all.length - shown);
  all.forEach((one, n) => {
    one.hidden = n < hidden;
  });
  root.earlier.hidden = hidden === 0;
  root.earlier.textContent = `Show all ${all.length} replies`;
}

/** What the channel is to notice of a thread further up. */
function notice(root, found) {
  const item = document.createElement("li");
  item.className = "notice";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = found.text.split("\n", 1)[0].slice(0, 160);
  button.addEventListener("click", () => root.item.scrollIntoView({ block: "center" }));
  item.append(button);
  append(item);
}

function whisper(found) {
  const item = document.createElement("li");
  item.className = "private";
  const foot = document.createElement("footer");
  const when = document.createElement("time");
  timeOf(when, found.at);
  const seen = document.createElement("span");
  seen.textContent = "only you see this";
  foot.append(when, seen);
  const place = roots.has(found.thread) ? found.thread : null;
  item.append(card(found, place), foot);
  append(item);
}

function append(item) {
  at("empty").hidden = true;
  const end = channel.scrollHeight - channel.scrollTop - channel.clientHeight < 120;
  item.classList.add("fresh");
  log.append(item);
  if (end) channel.scrollTop = channel.scrollHeight;
}

const draw = { post: addRoot, edit, reply, private: whisper };

function follow() {
  feed?.close();
  log.replaceChildren();
  roots.clear();
  at("empty").hidden = false;
  feed = new EventSource(`/lines?as=${encodeURIComponent(as.value)}`);
  feed.onopen = () => {
    at("state").textContent = "live";
  };
  feed.onerror = () => {
    at("state").textContent = "not connected, trying again …";
  };
  feed.onmessage = ({ data }) => {
    const end = channel.scrollHeight - channel.scrollTop - channel.clientHeight < 120;
    const found = JSON.parse(data);
    turnDay();
    draw[found.kind](found);
    if (end) channel.scrollTop = channel.scrollHeight;
  };
}

function enter(place) {
  thread = place;
  at("where").hidden = place === null;
  at("where-name").textContent = roots.get(place)?.name ?? "";
  line.focus();
}

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = line.value.trim();
  if (text === "") return;
  // The next line may be typed while this one is on its way.
  line.value = "";
  typed.push(text);
  back = typed.length;
  if (!(await say(text, thread, null)) && line.value === "") line.value = text;
});

line.addEventListener("keydown", (event) => {
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    back = Math.max(0, Math.min(typed.length, back + (event.key === "ArrowUp" ? -1 : 1)));
    line.value = typed[back] ?? "";
    event.preventDefault();
  } else if (event.key === "Escape") {
    if (line.value === "") enter(null);
    line.value = "";
  }
});

at("leave").addEventListener("click", () => enter(null));
as.addEventListener("change", () => {
  if (!/^[a-z0-9][a-z0-9._-]{0,39}$/.test(as.value)) as.value = "owner";
  enter(null);
  follow();
});

follow();
line.focus();
