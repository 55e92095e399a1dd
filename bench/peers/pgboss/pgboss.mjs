// pg-boss, batched, with nodemailer's pool: fill DSN N | drain DSN PORT | count DSN
//
// Tuned: jobs are fetched and completed 500 at a time (its fetch() and complete(), without the pause of work() between
// batches), two such loops so that one sends while the other waits for the database, ten pooled connections without a limit
// of mails and with TCP_NODELAY (else each body waits 40 ms for an acknowledgement), no maintenance meanwhile. The templates are compiled once, to plain string functions.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createTransport } from "nodemailer";
import pg from "pg";
import PgBoss from "pg-boss";

const QUEUE = "mail", BATCH = 500, LOOPS = 2, CONNECTIONS = 10;
const templates = new URL("../../templates/bench/", import.meta.url);
const compiled = (name) => {
  const parts = readFileSync(new URL(name, templates), "utf8").trimEnd().split(/\{\{ (\w+) \}\}/);
  return (variables) => parts.map((part, place) => (place % 2 ? variables[part] : part)).join("");
};
const [subject, text, html] = ["subject.txt", "body.txt", "body.html"].map(compiled);

const open = async (dsn) => {
  const boss = new PgBoss({ connectionString: dsn, supervise: false, schedule: false });
  boss.on("error", console.error);
  return boss.start();
};

async function fill(dsn, number) {
  const boss = await open(dsn);
  await boss.createQueue(QUEUE);
  for (let done = 0; done < Number(number); done += 1000) {
    const some = Array.from({ length: Math.min(1000, number - done) }, (_, place) => done + place);
    await boss.insert(some.map((n) => ({
      name: QUEUE,
      data: { number: n, variables: { name: "Ada", code: String(n).padStart(6, "0"), ttl: 5 } },
    })));
  }
  await boss.stop({ graceful: false });
}

async function drain(dsn, port) {
  const boss = await open(dsn);
  const relay = createTransport({
    host: "127.0.0.1", port: Number(port), secure: false, ignoreTLS: true,
    pool: true, maxConnections: CONNECTIONS, maxMessages: Infinity,
    getSocket: (options, done) => {
      const connection = connect({ host: options.host, port: options.port, noDelay: true });
      connection.once("error", done).once("connect", () => done(null, { connection }));
    },
  });
  const send = ({ data: { number, variables } }) => relay.sendMail({
    from: "Galaxy <no-reply@bench.example>", to: "Ada Lovelace <ada@example.com>",
    messageId: `<${number}@bench.example>`,
    subject: subject(variables), text: text(variables), html: html(variables),
  });
  const loop = async () => {
    for (let jobs; (jobs = await boss.fetch(QUEUE, { batchSize: BATCH })).length;) {
      await Promise.all(jobs.map(send));
      await boss.complete(QUEUE, jobs.map((job) => job.id));
    }
  };
  await Promise.all(Array.from({ length: LOOPS }, loop));
  relay.close();
  await boss.stop({ graceful: false });
}

async function count(dsn) {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  const { rows } = await client.query("select count(*) from pgboss.job where state = 'completed'");
  console.log(rows[0].count);
  await client.end();
}

const [verb, ...words] = process.argv.slice(2);
await { fill, drain, count }[verb](...words);
process.exit(0);
