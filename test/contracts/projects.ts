import { describe, expect, test } from "vitest";
import { presets } from "../../engine/domain/policy.ts";
import { noFilters } from "../../engine/domain/project.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { noWindows } from "../../engine/domain/window.ts";
import {
  acme,
  begun,
  carry,
  completed,
  endpoint,
  item,
  newEntry,
  type OpenBooks,
  passOver,
  paused,
} from "./books.ts";
import { opened } from "./opened.ts";

/** What everything that keeps projects must do. */
export function projectsContract(open: OpenBooks): void {
  describe("as projects", () => {
    const books = opened(open);

    test("a project is found by its name without regard to case, and its name is taken", async () => {
      const { project } = await acme(books, ["anna"]);

      expect(await books.projects.byName("ACME")).toEqual(project);
      expect(await books.projects.byName("other")).toBeNull();
      expect(await books.projects.list()).toEqual([project]);
      await expect(
        books.projects.create({
          name: "Acme",
          sourceEndpoint: project.sourceEndpoint.id,
          targetEndpoint: project.targetEndpoint.id,
          policy: presets.rackspace,
          zone: "UTC",
        }),
      ).rejects.toThrow(/There is a project Acme already/);
    });

    test("what is changed of a project is kept, and nothing else changes", async () => {
      const { project } = await acme(books, []);
      const filters = { ...noFilters, exclude: ["Trash"], after: 5 };

      const changed = await books.projects.change(project.id, { filters, closed: true });

      expect(changed).toEqual({ ...project, filters, closed: true });
      expect(await books.projects.byId(project.id)).toEqual(changed);
    });

    test("a project carries at any time until hours or blackout dates are set, and they can be cleared", async () => {
      const { project } = await acme(books, []);
      const windows = {
        hours: [{ days: [6, 7], from: 0, to: 1440 }],
        blackout: [{ from: "2026-12-24", to: "2026-12-26" }],
      };

      expect(project.windows).toEqual({ hours: [], blackout: [] });
      expect(await books.projects.change(project.id, { windows })).toEqual({ ...project, windows });
      expect(await books.projects.change(project.id, { windows: noWindows })).toEqual(project);
    });

    test("a channel is about one project, and can be about another later", async () => {
      const { project } = await acme(books, []);
      const other = await books.projects.create({
        name: "other",
        sourceEndpoint: project.sourceEndpoint.id,
        targetEndpoint: project.targetEndpoint.id,
        policy: presets.cloudiway,
        zone: "UTC",
      });

      await books.projects.link("local:main", project.id);
      await books.projects.link("local:main", other.id);

      expect(await books.projects.linked("local:main")).toEqual(other);
      await books.projects.unlink("local:main");
      expect(await books.projects.linked("local:main")).toBeNull();
    });

    test("an endpoint comes back as it was made, its password with it", async () => {
      const made = await books.projects.addEndpoint(
        endpoint("Old", { ca: "PEM", fingerprint: "aa:bb", port: 143, security: "starttls" }),
      );

      const found = await books.projects.endpoint("old");

      expect(found).toEqual(made);
      expect(found?.masterPassword?.reveal()).toBe("master's password");
      await expect(books.projects.addEndpoint(endpoint("OLD"))).rejects.toThrow(
        /There is an endpoint OLD already/,
      );
      expect(await books.projects.endpoints()).toHaveLength(1);
    });

    test("a master's password can be set again", async () => {
      const { id } = await books.projects.addEndpoint(endpoint("old", { masterPassword: null }));

      await books.projects.setMasterPassword(id, new Secret("another"));

      const found = await books.projects.endpoint("old");
      expect(found?.masterPassword?.reveal()).toBe("another");
    });

    test("of an endpoint that is changed, what is left out stays, and its password can be forgotten", async () => {
      const { projects } = books;
      const was = await projects.addEndpoint(endpoint("old", { ca: "PEM" }));
      await books.paces.set(was.id, 5);

      const { host, ...more } = { host: "mail2.example", masterUser: "boss", fingerprint: "AA" };
      const one = await projects.changeEndpoint(was.id, (now) => {
        expect(now).toEqual(was);
        return { host };
      });
      expect(one).toEqual({ was, is: { ...was, host }, carried: false });
      await projects.changeEndpoint(was.id, () => ({ ...more, ca: null, inward: false }));
      const now = { ...was, host, ...more, ca: null, inward: false };
      expect(await projects.endpoint("old")).toEqual(now);
      expect((await projects.endpoint("old"))?.masterPassword?.reveal()).toBe("master's password");
      expect((await books.paces.of(was.id)).atOnce).toBe(5);

      await projects.changeEndpoint(was.id, () => ({ port: 143, masterPassword: null }));
      expect(await projects.endpoint("old")).toEqual({ ...now, port: 143, masterPassword: null });
      const refusing = projects.changeEndpoint(was.id, () => {
        throw new Error("not this");
      });
      await expect(refusing).rejects.toThrow("not this");
      expect(await projects.changeEndpoint(was.id, () => ({}))).toMatchObject({
        is: { port: 143 },
      });
    });

    test("no endpoint is changed while a pass of its projects is queued or processing", async () => {
      const { projects, passes } = books;
      const { project, entries } = await acme(books, ["anna", "bob"]);
      const ends = [project.sourceEndpoint.id, project.targetEndpoint.id];
      const change = (id: number) => projects.changeEndpoint(id, () => ({ port: 1 }));
      const other = await projects.addEndpoint(endpoint("other"));
      const [anna, bob] = entries;
      await using run = await begun(books, project, anna!);
      const both = `Pass ${run.pass} of acme is under way, and 1 more; nothing was changed`;
      const queued = await passes.submit(passOver(project, [bob!]));

      for (const id of ends) await expect(change(id)).rejects.toThrow(both);
      expect((await change(other.id)).is.port).toBe(1);
      await passes.control(run.pass, "pause", "x");
      await expect(change(ends[0]!), "its engine has not heard").rejects.toThrow(both);
      await passes.end(run.run, paused, run.fence);
      await expect(change(ends[0]!)).rejects.toThrow(`\`pause ${queued} --project acme\` first`);
      expect((await projects.endpoint("old"))?.port).toBe(993);
      await passes.control(queued, "pause", "x");
      expect((await change(ends[0]!)).is.port).toBe(1);
      await passes.control(queued, "stop", "x");
      await passes.control(run.pass, "run", "x");
      await expect(change(ends[1]!)).rejects.toThrow(`Pass ${run.pass} of acme is under way;`);
      await passes.control(run.pass, "stop", "x");
      expect((await change(ends[1]!)).is.port).toBe(1);
    });

    test("who changes an endpoint hears whether it was carried over, and whose passwords lie there", async () => {
      const { projects } = books;
      const { project, entries } = await acme(books, ["anna"]);
      const heard: unknown[] = [];
      const look = async (id: number) => {
        const { carried } = await projects.changeEndpoint(id, (_, ownPasswords) => {
          heard.push(ownPasswords);
          return {};
        });
        heard.push(carried);
      };
      const ends = [project.sourceEndpoint.id, project.targetEndpoint.id];
      for (const id of ends) await look(id);
      await projects.add(project.id, [
        newEntry("bob", { targetPassword: new Secret("his") }),
        newEntry("eve", { targetPassword: new Secret("hers") }),
      ]);
      await using run = await begun(books, project, entries[0]!);
      await carry(books, run, [item(1)]);
      await books.passes.end(run.run, completed, run.fence);
      for (const id of ends) await look(id);

      expect(heard).toEqual([0, false, 0, false, 0, true, 2, true]);
    });

    test("entries come back in the order they were added", async () => {
      const { project, entries } = await acme(books, ["zoe", "anna", "mia"]);

      expect(entries.map((entry) => entry.source)).toEqual([
        "zoe@old.example",
        "anna@old.example",
        "mia@old.example",
      ]);
      expect(await books.projects.entries(project.id)).toEqual(entries);
      expect(entries[0]).toMatchObject({
        passesUsed: 0,
        trialUsed: false,
        license: "none",
        firstSuccessAt: null,
        notReady: null,
        busyWith: null,
        lastState: null,
      });
    });

    test("a mailbox that is there already is refused by name, and nothing of the list is added", async () => {
      const { project } = await acme(books, ["anna", "bob"]);
      const clash = [
        newEntry("cleo"),
        newEntry("x", { source: "ANNA@old.example" }),
        newEntry("y", { target: "Bob@new.example" }),
      ];

      const adding = books.projects.add(project.id, clash);

      await expect(adding).rejects.toThrow(/ANNA@old\.example.*Bob@new\.example/);
      expect(await books.projects.entries(project.id)).toHaveLength(2);
    });

    test("a list that names a mailbox twice is refused", async () => {
      const { project } = await acme(books, []);
      const twice = [newEntry("anna"), newEntry("anna2", { source: "anna@old.example" })];

      await expect(books.projects.add(project.id, twice)).rejects.toThrow(/anna@old\.example/);
    });

    test("an entry without a password says what to do, and its addresses are refused", async () => {
      const old = await books.projects.addEndpoint(endpoint("old", { masterPassword: null }));
      const fresh = await books.projects.addEndpoint(endpoint("new", { login: "user" }));
      const project = await books.projects.create({
        name: "acme",
        sourceEndpoint: old.id,
        targetEndpoint: fresh.id,
        policy: presets.rackspace,
        zone: "UTC",
      });
      const [entry] = await books.projects.add(project.id, [newEntry("anna")]);

      expect(entry?.notReady).toMatch(/the endpoint old has no password; .*endpoint secret old/);
      await books.projects.setMasterPassword(old.id, new Secret("m"));
      expect((await books.projects.entry(entry!.id)).notReady).toBe(
        "has no password for the new system; import it with target_password_env",
      );
      await expect(books.projects.addresses(entry!.id)).rejects.toThrow(
        /anna@new\.example: has no password/,
      );
    });

    test("each side is reached as its endpoint says: by the master, or by the mailbox's own password", async () => {
      const old = await books.projects.addEndpoint(endpoint("old"));
      const fresh = await books.projects.addEndpoint(endpoint("new", { login: "user" }));
      const project = await books.projects.create({
        name: "acme",
        sourceEndpoint: old.id,
        targetEndpoint: fresh.id,
        policy: presets.rackspace,
        zone: "UTC",
      });
      const [anna, bob] = await books.projects.add(project.id, [
        newEntry("anna", { targetUser: "a.nna", targetPassword: new Secret("hers") }),
        newEntry("bob", { targetPassword: new Secret("his") }),
      ]);

      const { source, target } = await books.projects.addresses(anna!.id);
      const other = await books.projects.addresses(bob!.id);

      expect(source).toMatchObject({ mailbox: "anna@old.example", user: null, password: null });
      expect(source.endpoint.masterPassword?.reveal()).toBe("master's password");
      expect(target).toMatchObject({ mailbox: "anna@new.example", user: "a.nna" });
      expect(target.password?.reveal()).toBe("hers");
      expect(other.target.user).toBe("bob@new.example");
      expect(other.target.password?.reveal()).toBe("his");
    });

    test("an entry's own logins can be given anew, and what is not given stays", async () => {
      const old = await books.projects.addEndpoint(endpoint("old"));
      const fresh = await books.projects.addEndpoint(endpoint("new", { login: "user" }));
      const project = await books.projects.create({
        name: "acme",
        sourceEndpoint: old.id,
        targetEndpoint: fresh.id,
        policy: presets.rackspace,
        zone: "UTC",
      });
      const [anna, bob] = await books.projects.add(project.id, [
        newEntry("anna"),
        newEntry("bob", { targetUser: "b.ob", targetPassword: new Secret("his") }),
      ]);
      const none = { sourceUser: null, sourcePassword: null, targetUser: null };

      await books.projects.setLogins([
        { ...none, entry: anna!.id, targetPassword: new Secret("hers") },
        { ...none, entry: bob!.id, targetPassword: new Secret("another") },
      ]);

      const { target } = await books.projects.addresses(anna!.id);
      const other = await books.projects.addresses(bob!.id);
      expect([target.user, target.password?.reveal()]).toEqual(["anna@new.example", "hers"]);
      expect([other.target.user, other.target.password?.reveal()]).toEqual(["b.ob", "another"]);
    });

    test("an entry says which pass has it, and how its latest run stands", async () => {
      const { project, entries } = await acme(books, ["anna", "bob"]);
      await using run = await begun(books, project, entries[0]!);

      const [anna, bob] = await books.projects.entries(project.id);

      expect(anna).toMatchObject({ busyWith: run.pass, lastState: "processing" });
      expect(anna?.license).toBe("reserved");
      expect(bob).toMatchObject({ busyWith: null, lastState: null });
    });
  });
}
