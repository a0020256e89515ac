'use strict';

// Two tenants share a few connections for longer than their tokens live.
// Fails if one ever sees a row of the other, or anything else is not as said.

const assert = require('node:assert');
const { Pool } = require('pg');
const { Session, withToken } = require('./session.js');

const SECONDS = Number(process.env.DEMO_SECONDS ?? 3);
// PGHOST, PGPORT and PGDATABASE say where; a pooler may stand in between.
const pool = new Pool({ user: 'pool_login', max: Number(process.env.CONNECTIONS ?? 2) });

const served = new Map();  // server process => tenants whose requests it served
let requests = 0;
let foreign = 0;

async function request(session, tenant, write) {
  const { pid, rows } = await session.run(async (client) => {
    if (write) await client.query('INSERT INTO app.invoices (body) VALUES ($1)', [`for ${tenant}`]);
    const { rows } = await client.query('SELECT tenant, body FROM app.invoices');
    const { rows: [{ pid }] } = await client.query('SELECT pg_backend_pid() AS pid');
    return { pid, rows };
  });
  served.set(pid, (served.get(pid) ?? new Set()).add(tenant));
  requests++;
  assert(rows.length > 0);
  foreign += rows.filter((row) => row.tenant !== tenant).length;
}

// Requests of both, several at a time, until the time is up.
async function interleave(sessions) {
  const end = Date.now() + SECONDS * 1000;
  const one = async (turn) => {
    const [tenant, session] = sessions[turn % sessions.length];
    for (let n = 0; Date.now() < end; n++) await request(session, tenant, n % 10 === 0);
  };
  await Promise.all([0, 1, 2, 3].map(one));
}

async function main() {
  const alice = await Session.signIn(pool, 'alice');
  const bob = await Session.signIn(pool, 'bob');
  await interleave([['acme', alice], ['globex', bob]]);

  console.log(`${requests} requests on ${served.size} server connection(s), ${foreign} foreign rows`);
  assert.strictEqual(foreign, 0);
  assert([...served.values()].every((tenants) => tenants.size === 2), 'both had every connection');
  console.log(`refreshed: alice ${alice.refreshes}, bob ${bob.refreshes}`);
  assert(alice.refreshes >= 1 && bob.refreshes >= 1);

  // Nobody is asking between two requests, and the login role may read nothing.
  const { rows } = await pool.query('SELECT jwt.is_authenticated() AS somebody');
  assert.strictEqual(rows[0].somebody, false);
  await assert.rejects(pool.query('SELECT * FROM app.invoices'), { code: '42501' });
  console.log('in between: nobody');

  // An error in the middle leaves nothing behind, either.
  await bob.refresh();
  await assert.rejects(bob.run((client) => client.query('SELECT 1/0')), { code: '22012' });
  assert.strictEqual((await pool.query('SELECT jwt.subject() AS who')).rows[0].who, null);

  const [header, , signature] = bob.tokens.access_token.split('.');
  const claims = alice.tokens.access_token.split('.')[1];
  await assert.rejects(
    withToken(pool, `${header}.${claims}.${signature}`, (client) => client.query('SELECT 1')),
    (error) => console.log(`forged: ${error.code}`) ?? error.code === '28J03');

  await bob.signOut();
  await assert.rejects(
    bob.run((client) => client.query('SELECT 1')),
    (error) => console.log(`signed out: ${error.code}`) ?? error.code === '28J09');
  await assert.rejects(bob.refresh(), { code: 'invalid_grant' });
  await alice.run((client) => client.query('SELECT 1'));

  console.log('node-pool: all as promised');
}

main()
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => pool.end());
