/** What do the first touch of a page, its end, and sharing it by a fork cost? */
import type { Contestant, Question, Suite } from "../question.ts";
import { type Forking, type Subject, coreSubject, twinSubject } from "./two-nodes.ts";

function question(what: string, pages: number, contestant: (subject: Forking) => Contestant): Question {
  return {
    title: `${what} ${pages} anonymous pages, v3.12`,
    units: pages,
    warmups: 2,
    rounds: 15,
    contestants: async () => [contestant(await coreSubject({ pages })), contestant(twinSubject({ pages }))],
  };
}

function faultIn(subject: Subject, pages: number): Contestant {
  let mapped = false;
  return {
    name: subject.name,
    prepare() {
      if (mapped) subject.unmap();
      subject.map();
      mapped = true;
    },
    run: () => subject.touch(0, pages),
    hash: () => subject.hash(),
  };
}

function unmap(subject: Subject, pages: number): Contestant {
  return {
    name: subject.name,
    prepare() {
      subject.map();
      subject.touch(0, pages);
    },
    run: () => subject.unmap(),
    hash: () => subject.hash(),
  };
}

function fork(subject: Forking, pages: number): Contestant {
  subject.map();
  subject.touch(0, pages);
  return {
    name: subject.name,
    prepare: () => subject.exitChild(),
    run: () => subject.fork(),
    hash: () => subject.hash(),
  };
}

export const fault: Suite = {
  name: "fault",
  questions(size) {
    const pages = size === "smoke" ? 2048 : 2 ** 20;
    return [
      question("fault in", pages, (subject) => faultIn(subject, pages)),
      question("unmap", pages, (subject) => unmap(subject, pages)),
      question("fork a process of", pages, (subject) => fork(subject, pages)),
    ];
  },
};
