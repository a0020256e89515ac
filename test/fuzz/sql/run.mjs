// Fuzzes verify_with, sign_with and import_jwks of a server (PGHOST, PGPORT,
// PGUSER) for FUZZ_SECONDS, and compares each verdict with jose's.
//
// What we take and jose refuses is a failure, but for the reasons in
// "lenient" below.  What we refuse and jose takes must be refused by a rule
// of strict.mjs, whose reason is counted; else it is a failure too.  A server
// that goes away is one.  Failures are printed and kept, each as one line of
// JSON, in FUZZ_FAILED; FUZZ_SEED begins the same sequence again (with new
// keys).

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as jose from 'jose';
import { makeImport, makeSign, makeVerify, publicHalf, seed } from './cases.mjs';
import { connect, literal } from './server.mjs';
import { badClaims, badKey, malformed, noKey } from './strict.mjs';

const seconds = Number(process.env.FUZZ_SECONDS || 120);
const failed = process.env.FUZZ_FAILED ?? 'build/fuzz/failed/sql.jsonl';
const firstSeed = Number(process.env.FUZZ_SEED || Date.now() % 4294967296);
const batchSize = 250;
const maxFailures = 20;

const setup = `
CREATE EXTENSION IF NOT EXISTS jwt_auth;
-- SQLSTATE and result; each case in a subtransaction of its own
CREATE FUNCTION judge_verify(token text, jwks text, algorithms text[], now float8, OUT state text, OUT answer text)
LANGUAGE plpgsql AS $$
DECLARE
  detail text;
  claims jsonb;
BEGIN
  claims := jwt.verify_with(token, jwks::jsonb, algorithms => algorithms, as_of => to_timestamp(now));
  state := '00000';
  answer := claims::text;
  -- a JWT is a JWS, and decoding gives what verifying gives
  IF convert_from(jwt.jws_verify(token, jwks::jsonb, algorithms), 'UTF8')::jsonb <> claims
     OR (jwt.decode_unverified(token)).claims <> claims THEN
    state := 'other claims';
  END IF;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  state := CASE state WHEN '00000' THEN 'no JWS: ' ELSE '' END || SQLSTATE;
  answer := SQLERRM || ': ' || detail;
END $$;
CREATE FUNCTION judge_sign(claims text, jwk text, header text, OUT state text, OUT answer text)
LANGUAGE plpgsql AS $$
DECLARE
  token text;
BEGIN
  token := jwt.sign_with(claims::jsonb, jwk::jsonb, header => header::jsonb);
  state := '00000';
  answer := token;
  BEGIN
    PERFORM jwt.verify_with(token, jwk::jsonb);
  EXCEPTION WHEN SQLSTATE '28J01' OR SQLSTATE '28J02' THEN
    NULL;
  WHEN SQLSTATE '22023' THEN
    -- a key for signing only
    IF jwk::jsonb->'key_ops' IS NULL THEN RAISE; END IF;
  END;
EXCEPTION WHEN OTHERS THEN
  state := CASE state WHEN '00000' THEN 'not verified: ' ELSE '' END || SQLSTATE;
  answer := SQLERRM;
END $$;
CREATE FUNCTION judge_import(jwks text, OUT state text, OUT answer text)
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM jwt.import_jwks(jwks::jsonb, 'https://issuer.example');
  SELECT '00000', jsonb_agg(public_jwk || jsonb_build_object('thumbprint', jwt.jwk_thumbprint(public_jwk)))
    INTO state, answer FROM jwt.keys WHERE issuer = 'https://issuer.example';
  DELETE FROM jwt.key_store WHERE issuer = 'https://issuer.example';
EXCEPTION WHEN OTHERS THEN
  state := SQLSTATE;
  answer := SQLERRM;
END $$;
`;

const calls = {
  verify: (c) => `judge_verify(${literal(c.token)}, ${literal(c.jwks)}, ${literal(c.algorithms)}, ${c.now})`,
  sign: (c) => `judge_sign(${literal(c.claims)}, ${literal(c.jwk)}, ${literal(c.header)})`,
  import: (c) => `judge_import(${literal(c.jwks)})`,
};

// A private key verifies as its public half; Web Crypto has no such use.
async function tryKey(token, jwk, options) {
  const { key_ops: ops, ...half } = publicHalf(jwk);
  const held = ops === undefined ? half : { ...half, key_ops: Array.isArray(ops) && jwk.kty !== 'oct' ? ops.filter((op) => op !== 'sign') : ops };
  return { claims: (await jose.jwtVerify(token, held, options)).payload, jwk };
}

// jose's set resolves one key by kid and kty; what it asks its caller to
// choose from is all tried, as are secrets, which it takes in no set.
async function trySet(token, set, options) {
  const header = jose.decodeProtectedHeader(token);
  const refusals = [];
  for (const jwk of set.keys) {
    if (header.kid !== undefined && jwk?.kid !== header.kid) continue;
    try {
      return await tryKey(token, jwk, options);
    } catch (error) {
      refusals.push(error.message);
    }
  }
  throw new Error(refusals.join('; ') || 'no key');
}

async function joseVerify(c) {
  const held = JSON.parse(c.jwks);
  const options = { currentDate: new Date(c.now * 1000), ...(c.algorithms ? { algorithms: c.algorithms } : {}) };
  try {
    return held.keys !== undefined ? await trySet(c.token, held, options) : await tryKey(c.token, held, options);
  } catch (error) {
    return { refused: `${error.code ?? error.name} ${error.message}` };
  }
}

// Why we may take what jose refuses.
function lenient(c, refused) {
  const held = JSON.parse(c.jwks);
  const keys = Array.isArray(held.keys) ? held.keys : [held];
  if (keys.some((jwk) => Array.isArray(jwk?.key_ops) && jwk.key_ops.some((op) => !['sign', 'verify'].includes(op))) &&
      /key_ops|usage|keyUsages|Unsupported/i.test(refused)) return 'Web Crypto takes no key_ops beside "verify"';
  return null;
}

// Why we may refuse what jose takes, with the key used.
function strict(c, state, used) {
  const parts = c.token.split('.');
  if (state === '28J00') return malformed(c.token);
  if (malformed(c.token)) return null;
  const [header, claims] = [JSON.parse(Buffer.from(parts[0], 'base64url')), JSON.parse(Buffer.from(parts[1], 'base64url'))];
  const held = JSON.parse(c.jwks);
  if (held.keys && /^28J0[345]$/.test(state)) return noKey(header, held, c.algorithms) ?? noKey(header, { keys: [used] }, c.algorithms);
  if (/^28J0[45]$/.test(state)) return noKey(header, held, c.algorithms);
  if (/^28J0[128]$/.test(state)) return badClaims(claims, c.now);
  if (state === '22023' && !held.keys) {
    const bits = { HS256: 32, HS384: 48, HS512: 64 }[header.alg] ?? 0;
    return badKey(held) ?? (held.kty === 'oct' && Buffer.from(held.k, 'base64url').length < bits ? 'k is shorter than the hash' : null);
  }
  return null;
}

// JSON values alike, whatever the order of members; jsonb has no -0.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value !== null && typeof value === 'object') return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)}}`;
  return Object.is(value, -0) ? '0' : typeof value === 'number' ? String(value) : JSON.stringify(value);
}

const counts = { executions: 0, 'both yes': 0, 'both no': 0, 'we alone refuse': 0, 'we alone accept': 0 };
const reasons = {};
const failures = [];
function fail(what, c, got) {
  failures.push(what);
  console.log(`FAILED: ${what}\n${JSON.stringify({ ...c, got }).slice(0, 2000)}`);
  appendFileSync(failed, `${JSON.stringify({ what, ...c, got })}\n`);
}
function count(kind, reason) {
  counts[kind] += 1;
  if (reason) reasons[`${kind}: ${reason}`] = (reasons[`${kind}: ${reason}`] ?? 0) + 1;
}

const expectedState = /^(00000|28J0[0-9]|28J12|22023|22P02|22P05|54000|42704|0A000|23505)$/;

async function judgeVerify(c, state, answer) {
  const theirs = await joseVerify(c);
  if (state === '00000' && theirs.claims) {
    count('both yes');
    if (canonical(JSON.parse(answer)) !== canonical(theirs.claims)) fail('other claims than jose has', c, [state, answer, theirs]);
  } else if (state === '00000') {
    const reason = lenient(c, theirs.refused);
    count('we alone accept', reason);
    if (!reason) fail('we accept what jose refuses', c, [state, answer, theirs]);
  } else if (theirs.claims) {
    const reason = strict(c, state, theirs.jwk) ?? (/^22P0[25]$/.test(state) ? 'JSON that is no jsonb' : null);
    count('we alone refuse', reason);
    if (!reason) fail('we refuse what jose accepts, and no rule says so', c, [state, answer]);
  } else count('both no', state);
}

// What we sign, jose takes, and reads the claims that were to be signed.
async function judgeSign(c, state, token) {
  if (state !== '00000') {
    count('both no', state);
    return;
  }
  const { use, key_ops: ops, ...jwk } = publicHalf(JSON.parse(c.jwk));
  try {
    const alg = jose.decodeProtectedHeader(token).alg;
    const { payload } = await jose.compactVerify(token, jwk.alg ? jwk : { ...jwk, alg });
    const claims = JSON.parse(Buffer.from(payload));
    count('both yes');
    const wanted = JSON.parse(c.claims);
    for (const name of Object.keys(wanted)) {
      if (canonical(claims[name]) !== canonical(wanted[name])) fail(`claim ${name} was signed as another`, c, token);
    }
  } catch (error) {
    fail('jose refuses what we signed', c, [token, error.code ?? error.message]);
  }
}

async function judgeImport(c, state, answer) {
  if (state !== '00000') {
    count('both no', state);
    return;
  }
  for (const { thumbprint, ...jwk } of JSON.parse(answer) ?? []) {
    try {
      const named = ['secp256k1', 'Ed448'].includes(jwk.crv);
      if (!named) await jose.importJWK({ ...jwk, key_ops: undefined }, jwk.alg ?? { RSA: 'RS256', EC: { 'P-384': 'ES384', 'P-521': 'ES512' }[jwk.crv] ?? 'ES256', OKP: 'EdDSA' }[jwk.kty]);
      if (await jose.calculateJwkThumbprint(jwk) !== thumbprint) fail('another thumbprint than jose has', c, [jwk, thumbprint]);
      if (Object.keys(publicHalf(jwk)).length < Object.keys(jwk).length || jwk.kty === 'oct') fail('a secret was imported', c, jwk);
    } catch (error) {
      fail('jose cannot import a key that we did', c, [jwk, error.message]);
    }
  }
  count('both yes');
}

const judges = { verify: judgeVerify, sign: judgeSign, import: judgeImport };
const makers = [...Array(14).fill(makeVerify), makeSign, makeSign, makeSign, makeSign, makeImport];

const admin = await connect('postgres');
const database = `jwt_fuzz_${process.pid}`;
await admin.query(`CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`);
mkdirSync(dirname(failed), { recursive: true });
writeFileSync(failed, '');
const server = await connect(database);
await server.query(`SET client_min_messages = error; ${setup}`);
seed(firstSeed);
const end = Date.now() + seconds * 1000;
while (Date.now() < end && failures.length < maxFailures) {
  const batch = Array.from({ length: batchSize }, (_, i) => makers[i % makers.length]());
  let rows;
  try {
    rows = await server.query(batch.map((c) => `SELECT * FROM ${calls[c.op](c)}`).join(' UNION ALL '));
  } catch (error) {
    fail(error.message, { batch }, error.code);
    break;
  }
  for (const [i, [state, answer]] of rows.entries()) {
    counts.executions += 1;
    if (!expectedState.test(state)) fail(`SQLSTATE ${state}`, batch[i], answer);
    else await judges[batch[i].op](batch[i], state, answer);
  }
}
try {
  server.end();
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  admin.end();
} catch (error) {
  console.log(error.message);
}

for (const [reason, number] of Object.entries(reasons).sort()) console.log(`${String(number).padStart(8)} ${reason}`);
const sum = Object.entries(counts).map(([name, number]) => (name === 'executions' ? `${number} ${name}` : `${name} ${number}`)).join(', ');
console.log(`fuzz-sql: ${sum}, ${failures.length} failed (seed ${firstSeed})`);
process.exit(failures.length > 0 || counts.executions === 0 ? 1 : 0);
