// When something was said: the time of day, and which day once it is over.

const clock = { hour: "2-digit", minute: "2-digit" };
const time = new Intl.DateTimeFormat(undefined, clock);
const dated = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", ...clock });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** The day of what is told below. */
let told = new Date().toDateString();

/** Shows a time in its element. */
export function timeOf(element, ms) {
  const date = new Date(ms);
  element.textContent = (date.toDateString() === told ? time : dated).format(date);
  element.title = day.format(date);
  element.dateTime = date.toISOString();
}

/** Times on the page say which day, once it is over. */
export function turnDay() {
  const today = new Date().toDateString();
  if (today === told) return;
  told = today;
  for (const one of document.querySelectorAll("time")) timeOf(one, Date.parse(one.dateTime));
}
