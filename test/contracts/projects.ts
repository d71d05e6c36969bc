import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { presets } from "../../engine/domain/policy.ts";
import { noFilters } from "../../engine/domain/project.ts";
import { Secret } from "../../engine/domain/secret.ts";
import { noWindows } from "../../engine/domain/window.ts";
import { acme, type Books, begun, endpoint, newEntry, type OpenBooks } from "./books.ts";

/** What everything that keeps projects must do. */
export function projectsContract(open: OpenBooks): void {
  describe("as projects", () => {
    let books: Books;
    beforeEach(async () => {
      books = await open();
    });
    afterEach(() => books[Symbol.asyncDispose]());

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
