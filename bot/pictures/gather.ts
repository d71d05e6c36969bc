import type { Forecast } from "../../engine/domain/forecast.ts";
import type { PassSnapshot } from "../../engine/domain/pass.ts";
import type { Entry, Project } from "../../engine/domain/project.ts";
import type { Desk } from "../../engine/submit.ts";
import type { Message, Picture } from "../message.ts";
import * as words from "../wording/pictures.ts";
import type { Drawing } from "./draw.ts";
import { drawHeatMap } from "./heat-map.ts";
import { heatMap } from "./heat-rows.ts";
import { drawLicenseUse, stepsOf } from "./license-use.ts";
import { outlookOf } from "./outlook.ts";
import { drawOverTime, pointsOf } from "./over-time.ts";
import { render } from "./render.ts";

/** Passes that have a column in the heat map. */
const columns = 12;
/** Movements of licenses looked back at. */
const movements = 20_000;

/** A project in pictures; null where no pass has carried anything yet. `asked`: the pass that is reported. */
export async function picturesOf(
  project: Project,
  asked: PassSnapshot,
  desk: Desk,
): Promise<Message | null> {
  const all = (await desk.passes.sums(project.id)).filter(({ kind }) => kind !== "verify");
  if (all.length === 0) return null;
  const now = desk.clock.now();
  const { name, zone } = project;
  const latest = [];
  for (const { id } of all.slice(-columns)) latest.push(await desk.passes.snapshot(id));
  const entries = await desk.projects.entries(project.id);
  const pictures: Picture[] = [];
  const add = async (file: string, title: string, alt: string, drawing: Drawing) => {
    const png = (await render(drawing)).toString("base64");
    const { width, height } = drawing;
    pictures.push({ name: `${file}.png`, title, alt, png, width, height });
  };

  const map = heatMap(project, entries, latest, asked.id);
  await add("passes", words.heatMapTitle(name), words.heatMapAlt(map), drawHeatMap(map));

  // A repair puts back what was counted when it was carried.
  const carried = all.filter(({ kind }) => kind !== "repair");
  const points = pointsOf(carried, now);
  const [first, last] = [points[0], points.at(-1)];
  if (first !== undefined && last !== undefined && last.items > 0) {
    const outlook = outlookOf(await left(project, entries, desk), carried, now);
    const data = { project: name, zone, now, points, outlook };
    await add(
      "over-time",
      words.overTimeTitle(name),
      words.overTimeAlt(last, first.at, outlook, zone),
      drawOverTime(data),
    );
  }

  const balance = await desk.licenses.balance(project.id);
  if (balance.owned > 0) {
    const steps = stepsOf(balance, await desk.licenses.history(project.id, movements), now);
    await add(
      "licenses",
      words.licenseTitle(name),
      words.licenseAlt(balance),
      drawLicenseUse({ project: name, zone, now, balance, steps }),
    );
  }
  const title = words.picturesTitle(name);
  return { text: [`${title}:`, ...pictures.map(({ alt }) => alt)].join("\n"), title, pictures };
}

/** What a delta would carry, as far as the mail servers can be asked in time. */
function left({ filters }: Project, all: Entry[], { forecaster }: Desk): Promise<Forecast> {
  const entries = all.filter(({ notReady }) => notReady === null);
  return forecaster.ask({ kind: "delta", limit: null, filters, entries });
}
