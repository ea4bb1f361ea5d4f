// An example of an adapter for `bench/drive program` (docs/benchmarks.md, "Measuring another server"), to be copied and changed:
//
//   bench/drive program node bench/adapters/memory.mjs
//
// The server that it adapts is in this very file and keeps its events in memory: nothing is durable, no network lies between, and no
// agent runs. What `bench/drive` measures of it is therefore the driver and the pipe alone, the least that any server could show.
// An adapter for a real one replaces the class `Server` by calls to it and leaves the rest.
import { createInterface } from 'node:readline';

const EVENTS_OF_A_TURN = 20; // servers are compared by turns of the same length

/** Sessions are lists of events; whoever follows one is called with what it has not seen. */
class Server {
  #sessions = new Map();

  create() {
    const name = `s${this.#sessions.size + 1}`;
    this.#sessions.set(name, { events: [], followers: new Set() });
    return name;
  }

  prompt(name, text) {
    const session = this.#session(name);
    setImmediate(() => { // the turn: the server has taken the message by then
      for (let i = 1; i < EVENTS_OF_A_TURN; i++) this.#append(session, { text: `${text} ${i}` });
      this.#append(session, { endsTurn: true });
    });
  }

  /** Everything after the cursor, then what comes; returns what ends it. */
  follow(name, after, tell) {
    const session = this.#session(name);
    const missed = after === null ? [] : session.events.slice(Number(after));
    setImmediate(() => { if (missed.length > 0) tell(missed, Number(after) + missed.length); }); // behind the answer
    session.followers.add(tell);
    return () => session.followers.delete(tell);
  }

  #append(session, event) {
    session.events.push(event);
    for (const tell of session.followers) tell([event], session.events.length);
  }

  #session(name) {
    return this.#sessions.get(name) ?? (() => { throw new Error(`There is no session ${name}.`); })();
  }
}

const server = new Server();
const leaving = new Map(); // by the id of the `follow`
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const doing = {
  create: () => ({ session: server.create() }),
  prompt: ({ session, text }) => server.prompt(session, text),
  follow: ({ id, session, after }) => {
    const tell = (events, cursor) => say({ of: id, events: events.length, cursor: String(cursor), endsTurn: events.some((event) => event.endsTurn) });
    leaving.set(id, server.follow(session, after, tell));
  },
  leave: ({ session: followed }) => { // which is the id of the `follow`
    leaving.get(followed)?.();
    leaving.delete(followed);
  },
};

for await (const line of createInterface({ input: process.stdin })) { // ends with the driver
  const question = JSON.parse(line);
  try {
    say({ id: question.id, ...await doing[question.do](question) });
  } catch (error) {
    say({ id: question.id, error: error.message });
  }
}
