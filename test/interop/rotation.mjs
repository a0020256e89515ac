// A key is rotated and revoked under the eyes of jose's remote JWK set: an
// HTTP server here serves jwt.jwks().  Input: { psql: [command...] }.
// Output: what each step said.

import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { readInput } from './jws.mjs';

const { psql: [program, ...args] } = await readInput();
const sql = (text) => execFileSync(program, [...args, '-c', text], { encoding: 'utf8' }).trim();

let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  response.setHeader('Content-Type', 'application/jwk-set+json');
  response.end(sql('SELECT jwt.jwks()'));
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const url = new URL(`http://127.0.0.1:${server.address().port}/jwks.json`);

// One client fetches whenever a kid is new to it, one has its copy for good,
// one asks each time.
const client = (options) => {
  const keys = createRemoteJWKSet(url, options);
  return async (token) => {
    try {
      return (await jwtVerify(token, keys, { issuer: 'https://db.example' })).payload.sub;
    } catch (error) {
      return error.code ?? error.message;
    }
  };
};
const usual = client({ cooldownDuration: 0 });
const stale = client({ cooldownDuration: Infinity, cacheMaxAge: Infinity });
const fresh = client({ cooldownDuration: 0, cacheMaxAge: 0 });

const steps = [];
const step = async (name, tokens, clients) => {
  const said = {};
  for (const [clientName, ask] of Object.entries(clients)) {
    for (const [tokenName, token] of Object.entries(tokens)) said[`${clientName}: ${tokenName}`] = await ask(token);
  }
  steps.push({ name, said });
};
const issue = (sub) => sql(`SELECT jwt.sign('{"sub": "${sub}"}')`);

sql("SELECT jwt.generate_key('ES256', 'r1')");
const one = issue('one');
await step('before', { one }, { usual, fresh });

// published, not signing yet: whoever fetches now needs no second fetch
sql("SELECT jwt.generate_key('ES256', 'r2', 'standby')");
const stillOne = issue('still one');
await step('standby is published', { one, stillOne }, { stale, usual, fresh });

const second = sql('SELECT jwt.rotate_key()');
const two = issue('two');
await step(`rotated to ${second}`, { one, two }, { stale, usual, fresh });

// no standby: a new key, which a client meets in a header first
sql('SELECT jwt.rotate_key()');
const three = issue('three');
const before = requests;
await step('rotated to a new key', { one, two, three }, { usual });
steps.push({ name: 'fetches that the new key cost', said: requests - before });
await step('later', { one, two, three }, { usual, fresh });

sql("SELECT jwt.set_key_status('r1', 'revoked')");
await step('first key revoked', { one, two, three }, { fresh });
sql("SELECT jwt.drop_key('r2')");
await step('second key dropped', { one, two, three }, { fresh, newcomer: client({}) });

server.close();
server.closeAllConnections();
console.log(JSON.stringify(steps));
