// The rules by which jwt_auth refuses what jose takes, written a second time
// and from the documents: README and the RFCs.  Each answers the reason, or
// null.  What no rule explains is a failure of the fuzzer.

import * as crypto from 'node:crypto';

const maxToken = 16384;
const maxDepth = 64;
const maxDigits = 1000;

// The bytes that text is the one base64url spelling of, else null.
export function strictBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

// JSON as RFC 8259 has it, and as it is safe to read: the reason why not.
export function jsonFlaw(bytes) {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return 'not UTF-8';
  }
  try {
    const value = JSON.parse(text);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return 'not an object';
  } catch {
    return 'not JSON';
  }
  return scan(text);
}

// What JSON.parse overlooks; text is JSON.
function scan(text) {
  const names = [];
  let depth = 0;
  let flaw = null;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]|-?[0-9][0-9.eE+-]*/gs)) {
    if (token === '{' || token === '[') {
      depth += 1;
      names[depth] = new Set();
      if (depth > maxDepth) flaw ??= 'nested too deeply';
    } else if (token === '}' || token === ']') {
      depth -= 1;
    } else if (token[0] === '"') {
      const string = JSON.parse(token.replace(/\s*:$/, ''));
      if (string.includes('\0')) flaw ??= 'a NUL in a string';
      if (!string.isWellFormed()) flaw ??= 'half a surrogate pair';
      if (token.endsWith(':')) {
        if (names[depth].has(string)) flaw ??= 'a member twice';
        names[depth].add(string);
      }
    } else {
      const [, exponent] = token.match(/[eE][+-]?0*(.*)$/) ?? [];
      if (token.length > maxDigits || Number(exponent ?? 0) > maxDigits) flaw ??= 'a number of absurd size';
    }
  }
  return flaw;
}

// 28J00: the shape of a token and its header.
export function malformed(token) {
  const parts = token.split('.');
  if (Buffer.byteLength(token) > maxToken) return 'too long';
  if (parts.length !== 3 || parts[0] === '') return 'not three parts';
  const bytes = parts.map(strictBase64url);
  if (bytes.includes(null)) return 'not strict base64url';
  for (const part of bytes.slice(0, 2)) {
    const flaw = jsonFlaw(part);
    if (flaw) return flaw;
  }
  const header = JSON.parse(bytes[0]);
  for (const name of ['alg', 'kid', 'typ']) {
    if (Object.hasOwn(header, name) && typeof header[name] !== 'string') return `${name} is no string`;
  }
  if (!Object.hasOwn(header, 'alg')) return 'no alg';
  if (Object.hasOwn(header, 'crit')) return 'crit';
  if (Object.hasOwn(header, 'b64') && header.b64 !== true) return 'b64';
  return null;
}

const own = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);
const isStrings = (value) => Array.isArray(value) && value.every((item) => typeof item === 'string');

// 28J08, 28J01, 28J02
export function badClaims(claims, now) {
  for (const name of ['exp', 'nbf', 'iat']) {
    const value = own(claims, name);
    if (value !== undefined && !(typeof value === 'number' && value >= -2.1e11 && value <= 9e12)) return `${name} is no time`;
  }
  for (const name of ['iss', 'sub', 'jti']) {
    if (own(claims, name) !== undefined && typeof own(claims, name) !== 'string') return `${name} is no string`;
  }
  const aud = own(claims, 'aud');
  if (aud !== undefined && typeof aud !== 'string' && !isStrings(aud)) return 'aud is neither string nor strings';
  // jose compares exp as it does, iat not at all; fractions count here.
  if (own(claims, 'exp') !== undefined && claims.exp < now + 1e-6) return 'expired';
  if (own(claims, 'nbf') > now) return 'nbf ahead';
  if (own(claims, 'iat') > now) return 'iat ahead';
  return null;
}

const lengths = { 'P-256': 32, 'P-384': 48, 'P-521': 66, secp256k1: 32, Ed25519: 32, Ed448: 57 };
const types = {
  HS256: 'oct', HS384: 'oct', HS512: 'oct',
  RS256: 'RSA', RS384: 'RSA', RS512: 'RSA', PS256: 'RSA', PS384: 'RSA', PS512: 'RSA',
  ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', ES256K: 'secp256k1',
  EdDSA: 'OKP', Ed25519: 'Ed25519', Ed448: 'Ed448',
};
const textMembers = ['kty', 'kid', 'crv', 'alg', 'use', 'k', 'n', 'e', 'x', 'y', 'd', 'p', 'q', 'dp', 'dq', 'qi'];

function badNumbers(jwk) {
  const [n, e] = [strictBase64url(jwk.n ?? ''), strictBase64url(jwk.e ?? '')];
  if (!n?.length || !e?.length) return 'n or e is not strict base64url';
  if (n[0] === 0 || e[0] === 0) return 'n or e begins with a zero';
  const bits = n.length * 8 - Math.clz32(n[0]) + 24;
  if (bits < 2048 || bits > 16384) return 'size of n';
  if (e.length > 8 || e.at(-1) % 2 === 0 || (e.length === 1 && e[0] === 1)) return 'exponent';
  if (n.at(-1) % 2 === 0) return 'n is even';
  return null;
}

function power(base, exponent, modulus) {
  let result = 1n;
  for (let square = base, left = exponent; left > 0n; left >>= 1n, square = square * square % modulus) {
    if (left & 1n) result = result * square % modulus;
  }
  return result;
}

// x and y that belong to d.
function derive({ kty, crv, x, d }) {
  if (kty === 'EC') {
    const ecdh = crypto.createECDH({ 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' }[crv] ?? crv);
    ecdh.setPrivateKey(Buffer.from(d, 'base64url'));
    const point = ecdh.getPublicKey().subarray(1);
    return `${point.subarray(0, point.length / 2).toString('base64url')}.${point.subarray(point.length / 2).toString('base64url')}`;
  }
  const key = crypto.createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
  return `${crypto.createPublicKey(crypto.createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' }))).export({ format: 'jwk' }).x}.`;
}

// A private half belongs to its public one; RFC 8017, Sec. 3.2 has what makes
// an RSA key.
function badPrivateHalf(jwk) {
  const names = ['d', 'p', 'q', 'dp', 'dq', 'qi'].filter((name) => Object.hasOwn(jwk, name));
  const flaw = 'the private half does not match';
  if (names.length === 0 || jwk.kty === 'oct') return null;
  if (jwk.kty === 'RSA') {
    if (names.length !== 6 && names.join() !== 'd') return 'some of the primes but not all';
    if (names.some((name) => !strictBase64url(jwk[name])?.length)) return flaw;
    const [n, e, d, p, q, dp, dq, qi] = ['n', 'e', ...names].map((name) => BigInt(`0x${Buffer.from(jwk[name], 'base64url').toString('hex')}`));
    if (names.length === 1) return d < n && power(2n, d * e, n) === 2n ? null : flaw;
    return p * q === n && d < n && p > 1n && q > 1n && (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n &&
      dp === d % (p - 1n) && dq === d % (q - 1n) && (q * qi) % p === 1n ? null : flaw;
  }
  // RFC 7518, Sec. 6.2.2.1: as long as the curve's order, whatever it begins with.
  if (strictBase64url(jwk.d ?? '')?.length !== lengths[jwk.crv]) return 'length of d';
  try {
    return derive(jwk) === `${jwk.x}.${jwk.y ?? ''}` ? null : flaw;
  } catch {
    return flaw;
  }
}

// 22023: a key.
export function badKey(jwk) {
  return badPublicHalf(jwk) ?? badPrivateHalf(jwk);
}

function badPublicHalf(jwk) {
  for (const name of textMembers) {
    if (Object.hasOwn(jwk, name) && typeof jwk[name] !== 'string') return `${name} is no string`;
  }
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'use';
  if (Object.hasOwn(jwk, 'key_ops')) {
    const ops = jwk.key_ops;
    if (!isStrings(ops) || ops.length > 8 || !ops.includes('verify') ||
        ['sign', 'verify'].some((op) => ops.filter((x) => x === op).length > 1)) return 'key_ops';
  }
  if (Object.hasOwn(jwk, 'oth')) return 'oth';
  if (jwk.alg !== undefined && !(jwk.alg in types && [jwk.kty, jwk.crv].includes(types[jwk.alg]))) return 'alg of the key';
  if (jwk.kty === 'RSA') return badNumbers(jwk);
  if (jwk.kty === 'oct') {
    const k = strictBase64url(jwk.k ?? '');
    if (!k?.length) return 'k is not strict base64url';
    if (k.length < Number(jwk.alg?.slice(2) ?? 256) / 8) return 'k is shorter than the hash';
    if (/^\s*[{[]|-----BEGIN|^\s*ssh-/.test(k.toString('latin1'))) return 'k is a key in another dress';
    return null;
  }
  if (!(jwk.crv in lengths) || (jwk.kty === 'OKP') !== /^Ed/.test(jwk.crv)) return 'kty or crv';
  for (const name of jwk.kty === 'EC' ? ['x', 'y'] : ['x']) {
    if (strictBase64url(jwk[name] ?? '')?.length !== lengths[jwk.crv]) return `length of ${name}`;
  }
  return null;
}

// 28J04, 28J05: which keys of those held the header means, or why none.
export function noKey(header, held, algorithms) {
  const meant = (jwk) => jwk.alg ?? (jwk.kty === 'RSA' ? 'RS256' : jwk.kty === 'oct' ? 'HS256' : null);
  if (algorithms && !algorithms.includes(header.alg)) return 'alg is not allowed';
  if (!(header.alg in types)) return 'alg is unknown';
  const keys = Array.isArray(held.keys)
    ? held.keys.filter((jwk) => jwk !== null && typeof jwk === 'object' && !Array.isArray(jwk)) : [held];
  const named = header.kid === undefined ? keys
    : keys.filter((jwk) => jwk.kid === header.kid || (!held.keys && typeof jwk.kid !== 'string'));
  if (named.length === 0) return 'kid names no key';
  if (held.keys && header.kid !== undefined && named.length > 1) return 'kid names two keys';
  const good = named.filter((jwk) => !badKey(jwk));
  if (good.length === 0) return 'no good key';
  const fits = good.filter((jwk) => [jwk.kty, jwk.crv].includes(types[header.alg]) &&
    (jwk.alg === undefined || jwk.alg === header.alg));
  if (fits.length === 0) return 'no key for alg';
  if (!algorithms && fits.every((jwk) => (meant(jwk) ?? header.alg) !== header.alg)) return 'a key without alg means RS256 or HS256';
  if (fits.every((jwk) => jwk.kty === 'oct' && strictBase64url(jwk.k).length < Number(header.alg.slice(2)) / 8)) return 'k is shorter than the hash';
  return null;
}
