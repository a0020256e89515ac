// Cases in, each with keys and tokens made here out.

import { lacksJose, makeKeys, readInput, sign, tampered } from './jws.mjs';

const made = [];
for (const c of await readInput()) {
  const keys = await makeKeys(c);
  const claims = { iss: 'https://node.example', aud: 'db', sub: `${c.name} é €`, exp: Math.floor(Date.now() / 1000) + 600 };
  const header = { kid: c.name, typ: 'JWT' };
  const token = await sign(c, { jwk: keys.private_jwk }, header, claims);
  made.push({ ...c, by: lacksJose(c) ? 'node:crypto' : 'jose', ...keys, token, tampered: tampered(token) });
}
console.log(JSON.stringify(made));
