// Cases: good tokens, keys and claims, and what can be done to them.  JSON is
// made as text, so that it can say a name twice or spell a letter as \u0061.

import * as crypto from 'node:crypto';

export const now = 1800000000;
const all = ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512',
  'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];

// Small and good enough: xorshift32.
let state = 1;
export function seed(value) {
  state = (value >>> 0) || 1;
}
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}
const chance = (percent) => random(100) < percent;
const pick = (array) => array[random(array.length)];
const some = (array) => array.filter(() => chance(50));

// Keys: two of each kind, so that one can be wrong.
function makeKey(kind) {
  const options = {
    RSA: ['rsa', { modulusLength: 2048 }], 'P-256': ['ec', { namedCurve: 'P-256' }], 'P-384': ['ec', { namedCurve: 'P-384' }],
    'P-521': ['ec', { namedCurve: 'P-521' }], Ed25519: ['ed25519', {}],
  }[kind];
  if (!options) {
    const secret = crypto.randomBytes(64);
    return { kind, key: secret, jwk: { kty: 'oct', k: secret.toString('base64url') } };
  }
  const key = crypto.generateKeyPairSync(...options).privateKey;
  const pem = crypto.createPublicKey(key).export({ type: 'spki', format: 'pem' });
  return { kind, key, pem, jwk: key.export({ format: 'jwk' }) };
}
const kinds = ['oct', 'RSA', 'P-256', 'P-384', 'P-521', 'Ed25519'];
const keys = Object.fromEntries(kinds.map((kind) => [kind, [makeKey(kind), makeKey(kind)]]));
const kindOf = (alg) => ({ H: 'oct', R: 'RSA', P: 'RSA' }[alg[0]] ??
  { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519', Ed25519: 'Ed25519' }[alg]);
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi'];
export const publicHalf = (jwk) => Object.fromEntries(Object.entries(jwk).filter(([name]) => !secretMembers.includes(name)));

export function rawSign(alg, key, input) {
  const digest = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }[alg.slice(2)];
  if (alg[0] === 'H') return crypto.createHmac(digest, key).update(input).digest();
  if (alg[0] === 'P') return crypto.sign(digest, input, { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: chance(95) ? Number(alg.slice(2)) / 8 : random(60) });
  return crypto.sign(alg.startsWith('Ed') ? null : digest, input, { key, dsaEncoding: chance(97) ? 'ieee-p1363' : 'der' });
}

// Values of every kind, as JSON text.
const numbers = [0, -0, 1, -1, now, now - 1, now + 1, now + 600, `${now}.5`, `${now}.000001`, `${now - 1}.999999`, `${now}.0`, '1.8e9', '18e8', '180000000000e-2',
  4294967295, 4294967296, 9007199254740993, '9223372036854775807', '9223372036854775808', '18446744073709551616', '-9223372036854775809',
  8999999999999, 9000000000000, 9000000000001, -210000000000, -210000000001, '1e15', '1e308', '1e309', '-1e309', '1e-400', '1e1000', '1e1001', '1E+00007', '-0.0', 253402300800];
const words = ['', 'a', 'A', 'admin', 'none', 'HS256', 'é', '€', '😀', '\\u0061', '\\u0000', '\\ud800', '\\udc00\\ud800', '\\ud83d\\ude00', '\\"', '\\\\', '\\/', '\\n', '\\u00e9', ' ', 'x'.repeat(300), '__proto__', 'null'];
// As a name a backslash does not stand alone: V8 13.6 then takes any escape at
// that place of a later object for it.
const names = words.map((word) => (word === '\\\\' ? '\\\\é' : word));
const texts = () => JSON.stringify(pick(['', 'a', 'k', 'sub'])).slice(0, -1) + pick(words) + '"';
const values = [() => `${pick(numbers)}`, texts, () => pick(['true', 'false', 'null', '[]', '{}', '[[]]', '["a","b"]', '["a",1]', '{"a":1,"a":2}', '[{"a":{"b":[]}}]', '"1800000600"', '01', '+1', '.5', '1.', 'NaN', 'Infinity', "'a'", 'undefined', '"a', '0x10', '1_0', '\t1 ', '/**/1', '-']),
  () => '['.repeat(2 + random(70)) + (chance(90) ? '' : ']') + 'DEEP', () => `{"${pick(names)}":${pick(numbers)},"${pick(names)}":${pick(numbers)}}`];
function value() {
  const made = pick(values)();
  const deep = made.match(/^(\[+)(\]?)DEEP$/);
  return deep ? deep[1] + ']'.repeat(deep[1].length + deep[2].length) : made;
}

// The same name, perhaps spelt otherwise.
function spell(name) {
  const at = random(name.length || 1);
  return chance(6) && name ? `${name.slice(0, at)}\\u00${name.charCodeAt(at).toString(16).padStart(2, '0')}${name.slice(at + 1)}` : name;
}
const space = () => (chance(4) ? pick(chance(97) ? [' ', '\n', '\r\n', '\t', '  '] : ['\f', '\u00a0', '/**/', '\v']) : '');

// members: [[name, JSON text]...]
function write(members) {
  const inner = members.map(([name, text]) => `${space()}"${spell(name)}"${space()}:${space()}${text}${space()}`).join(',');
  const text = `${space()}{${inner}}${space()}`;
  return chance(1) ? pick([`\ufeff${text}`, `${text},`, `${text}{}`, `${text}\u0000`, text.slice(0, -1), text.replace('}', ',}'), `[${text}]`, `"${text}"`, '', 'null']) : text;
}

function mutateMembers(members, names, rate) {
  while (chance(rate)) {
    const name = pick(names);
    const at = members.findIndex(([known]) => known === name);
    if (at >= 0 && chance(20)) members.splice(at, 1);
    else if (at >= 0 && chance(60)) members[at] = [name, value()];
    else if (at >= 0 && chance(50)) members.splice(random(members.length + 1), 0, [name, chance(50) ? members[at][1] : value()]);
    else members.splice(random(members.length + 1), 0, [name, value()]);
  }
  return members;
}

const claimNames = ['exp', 'nbf', 'iat', 'iss', 'sub', 'aud', 'jti', 'sid', 'role', 'EXP', 'exp ', '', '__proto__', 'nested'];
const headerNames = ['alg', 'typ', 'kid', 'crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u', 'cty', 'zip', 'enc', 'Alg', '', '__proto__'];
function claims(rate) {
  return mutateMembers([['sub', '"a"'], ...some([['exp', `${now + 600}`], ['iat', `${now - 5}`], ['nbf', `${now - 5}`], ['aud', '"app"'], ['jti', '"j"']])], claimNames, rate);
}

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

// One part of a token, spoilt.
function spoil(part) {
  const at = random(part.length + 1);
  const put = (text) => part.slice(0, at) + text + part.slice(at);
  return pick([() => `${part}=`, () => `${part}==`, () => `${part}A`, () => put(pick(['+', '/', '=', ' ', '\n', '\t', '%', '.', 'é', '%3D', '\\', "'"])),
    () => part.slice(0, at), () => part.slice(0, -1), () => part.slice(1), () => part.slice(0, -1) + letters[(letters.indexOf(part.at(-1)) + 1) % 64],
    () => part.slice(0, -1) + letters[(letters.indexOf(part.at(-1)) ^ (1 << random(4))) & 63], () => part.replaceAll('-', '+').replaceAll('_', '/'),
    () => put(pick(letters.split(''))), () => '', () => part.slice(0, at) + pick(letters.split('')) + part.slice(at + 1), () => part + part, () => 'A'.repeat(part.length)])();
}

function spoilToken(token) {
  const parts = token.split('.');
  const i = random(3);
  return pick([() => parts.with(i, spoil(parts[i])).join('.'), () => parts.with(i, spoil(parts[i])).join('.'), () => parts.with(i, spoil(parts[i])).join('.'),
    () => `${token}.`, () => `.${token}`, () => parts.slice(0, 2).join('.'), () => `${token} `, () => `\n${token}`, () => `Bearer ${token}`, () => parts.join('..'),
    () => token.toLowerCase(), () => parts.with(0, base64url('{"alg":"none"}')).with(2, '').join('.'), () => `${parts[0]}.${parts[1]}.`, () => token.replace('.', ','),
    () => JSON.stringify({ protected: parts[0], payload: parts[1], signature: parts[2] })])();
}

// Secrets that a confused verifier would take from a public key.
function publicText(key) {
  const { jwk, pem } = key;
  return Buffer.from(pick([pem ?? '', (pem ?? '').trim(), JSON.stringify(publicHalf(jwk)), jwk.n ?? jwk.x ?? jwk.k, '', 'null', Buffer.from(jwk.n ?? jwk.x ?? '', 'base64url')]));
}

// Tokens are often long.
const fill = () => (chance(1) ? `"${'x'.repeat(11000 + random(2500))}"` : '"f"');

function makeToken(alg, key, kid) {
  const headerAlg = chance(93) ? alg : pick([...all, 'ES256K', 'Ed448', 'none', 'None', 'hs256', 'HS256 ', '']);
  const members = mutateMembers([['alg', JSON.stringify(headerAlg)], ...some([['typ', '"JWT"']]), ...(kid === undefined ? [] : [['kid', JSON.stringify(kid)]])], headerNames, 12);
  const payload = write([...claims(28), ['fill', fill()]]);
  let [head, body] = [base64url(write(members)), base64url(payload)];
  if (chance(3)) head = spoil(head);
  if (chance(3)) body = spoil(body);
  const input = Buffer.from(`${head}.${body}`);
  let signature;
  if (headerAlg !== alg && headerAlg[0] === 'H' && all.includes(headerAlg)) signature = rawSign(headerAlg, publicText(key), input);
  else if (headerAlg !== alg && all.includes(headerAlg) && chance(50)) signature = rawSign(headerAlg, keys[kindOf(headerAlg)][0].key, input);
  else signature = rawSign(alg, key.key, input);
  if (chance(3)) signature[random(signature.length)] ^= 1 << random(8);
  if (chance(2)) signature = pick([Buffer.alloc(signature.length), Buffer.concat([Buffer.alloc(1), signature]), signature.subarray(1), Buffer.concat([signature, Buffer.alloc(1)])]);
  const token = `${input}.${base64url(signature)}`;
  return chance(6) ? spoilToken(token) : token;
}

const keyNames = ['kty', 'crv', 'alg', 'use', 'key_ops', 'kid', 'k', 'n', 'e', 'x', 'y', 'd', 'p', 'oth', 'x5c', 'ext'];
const keyValues = { kty: ['"oct"', '"RSA"', '"EC"', '"OKP"', '"Oct"', '"AKP"'], crv: ['"P-256"', '"P-384"', '"P-521"', '"secp256k1"', '"Ed25519"', '"Ed448"', '"X25519"', '"p-256"'],
  alg: [...all, 'ES256K', 'RSA-OAEP', 'none', ''].map((x) => JSON.stringify(x)), use: ['"sig"', '"enc"', '""'],
  key_ops: ['["verify"]', '["sign"]', '["sign","verify"]', '[]', '["verify","verify"]', '["encrypt"]', '["verify","wrapKey"]', '"verify"', '["verify",1]', '[null]'],
  e: ['"AQAB"', '"Aw"', '"AQ"', '"AA"', '"AAEAAQ"', '"Ag"', '"AQAAAAAAAAAB"'], kid: ['"k"', '"k2"', '""', '1'], oth: ['[]', '[{"r":"AQ"}]'], ext: ['true', 'false'] };

// A JWK as text, and what was done to it.
function makeJwk(key, alg, kid, rate) {
  const jwk = chance(80) ? publicHalf(key.jwk) : { ...key.jwk };
  const members = Object.entries(jwk).map(([name, text]) => [name, JSON.stringify(text)]);
  if (chance(65)) members.push(['alg', JSON.stringify(alg)]);
  if (kid !== undefined) members.push(['kid', JSON.stringify(kid)]);
  if (chance(15)) members.push(['use', '"sig"']);
  if (chance(8)) members.push(['key_ops', pick(keyValues.key_ops)]);
  while (chance(rate)) {
    const name = pick(keyNames);
    const at = members.findIndex(([known]) => known === name);
    const text = at >= 0 && JSON.parse(members[at][1]);
    if (at >= 0 && typeof text === 'string' && chance(40)) members[at] = [name, JSON.stringify(chance(30) ? base64url(Buffer.concat([Buffer.alloc(1), Buffer.from(text, 'base64url')])) : spoil(text))];
    else if (at >= 0 && chance(25)) members.splice(at, 1);
    else {
      const made = keyValues[name] ? pick(keyValues[name]) : pick(['1', 'null', '""', '"AQAB"', '{}', '["a"]', 'true']);
      if (at >= 0) members[at] = [name, made];
      else members.push([name, made]);
    }
  }
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

function makeSet(first, alg, kid) {
  const members = [first];
  while (chance(45)) {
    const kind = pick(kinds);
    members.push(chance(15) ? pick(['null', '1', '[]', '{}', '"a"', '{"kty":"oct"}', '{"kty":"EC","crv":"P-256"}'])
      : makeJwk(chance(50) ? keys[kindOf(alg)][random(2)] : keys[kind][1], pick(all), pick([undefined, kid, 'k2', 'k']), 10));
  }
  if (chance(50)) members.reverse();
  return `{"keys":${chance(98) ? `[${members}]` : pick(['{}', '1', '"a"', 'null'])}}`;
}

export function makeVerify() {
  const alg = pick(all);
  const [key, other] = keys[kindOf(alg)];
  const kid = pick([undefined, 'k', 'k', 'é', '']);
  const token = makeToken(alg, chance(94) ? key : other, chance(92) ? kid : 'k2');
  const jwk = makeJwk(key, alg, chance(92) ? kid : 'k2', 14);
  return { op: 'verify', token, jwks: chance(70) ? jwk : makeSet(jwk, alg, kid), algorithms: pick([...Array(12).fill(null), ...Array(6).fill([alg]), [alg, 'RS256'], all, all, [], ['HS256'], [pick(all)]]), now };
}

export function makeSign() {
  const alg = pick(all);
  const key = keys[kindOf(alg)][0];
  const jwk = { ...key.jwk, ...(chance(80) ? { alg } : {}), ...(chance(50) ? { kid: pick(['k', 'é', '']) } : {}) };
  const made = chance(80) ? JSON.stringify(jwk) : makeJwk(key, alg, 'k', 50);
  return { op: 'sign', claims: write(claims(60)).replaceAll('\0', ''), jwk: made, header: chance(50) ? null : write(mutateMembers([['typ', '"at+jwt"']], headerNames, 50)) };
}

export function makeImport() {
  const members = [];
  for (let i = 0; i < 4; i += 1) {
    const alg = pick(all);
    members.push(makeJwk({ ...keys[kindOf(alg)][0], jwk: publicHalf(keys[kindOf(alg)][0].jwk) }, alg, `k${i}`, 30));
  }
  return { op: 'import', jwks: `{"keys":[${members}]}` };
}
