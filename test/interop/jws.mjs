// Sign and verify with jose; with node's own crypto module what jose has not.

import * as crypto from 'node:crypto';
import * as jose from 'jose';

// jose 5 dropped ES256K and Ed448, which Web Crypto does not have.
export const lacksJose = (c) => c.alg === 'ES256K' || c.alg === 'Ed448' || c.crv === 'Ed448';

const options = (c, key) => (c.alg === 'ES256K' ? { key, dsaEncoding: 'ieee-p1363' } : key);
const digest = (c) => (c.alg === 'ES256K' ? 'sha256' : null);
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function makeKeys(c) {
  if (c.alg.startsWith('HS')) {
    const k = crypto.randomBytes(Number(c.alg.slice(2)) / 8).toString('base64url');
    return { private_jwk: { kty: 'oct', alg: c.alg, k } };
  }
  let jwk;
  let key;
  if (lacksJose(c)) {
    key = c.alg === 'ES256K'
      ? crypto.generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
      : crypto.generateKeyPairSync('ed448').privateKey;
    jwk = key.export({ format: 'jwk' });
  } else {
    const pair = await jose.generateKeyPair(c.alg, { crv: c.crv, extractable: true });
    jwk = await jose.exportJWK(pair.privateKey);
    key = crypto.createPrivateKey({ key: jwk, format: 'jwk' });
  }
  const keys = {
    private_jwk: { ...jwk, alg: c.alg },
    public_jwk: { ...crypto.createPublicKey(key).export({ format: 'jwk' }), alg: c.alg },
    private_pem: key.export({ type: 'pkcs8', format: 'pem' }),
    public_pem: crypto.createPublicKey(key).export({ type: 'spki', format: 'pem' }),
  };
  if (jwk.kty === 'RSA') keys.old_pem = key.export({ type: 'pkcs1', format: 'pem' });
  if (jwk.kty === 'EC') keys.old_pem = key.export({ type: 'sec1', format: 'pem' });
  return keys;
}

// A key is { jwk } or { pem }.
export async function sign(c, key, header, claims) {
  const fullHeader = { alg: c.alg, ...header };
  if (!lacksJose(c)) {
    const imported = key.jwk ? await jose.importJWK(key.jwk, c.alg) : await jose.importPKCS8(key.pem, c.alg);
    return new jose.SignJWT(claims).setProtectedHeader(fullHeader).sign(imported);
  }
  const imported = crypto.createPrivateKey(key.jwk ? { key: key.jwk, format: 'jwk' } : key.pem);
  const input = `${base64url(fullHeader)}.${base64url(claims)}`;
  return `${input}.${crypto.sign(digest(c), Buffer.from(input), options(c, imported)).toString('base64url')}`;
}

// A key is { jwk }, { pem } or { jwks }; answers the claims or throws.
export async function verify(c, key, token) {
  if (!lacksJose(c)) {
    let imported;
    if (key.jwks) imported = jose.createLocalJWKSet(key.jwks);
    else if (key.jwk) imported = await jose.importJWK(key.jwk, c.alg);
    else imported = await jose.importSPKI(key.pem, c.alg);
    return (await jose.jwtVerify(token, imported, { algorithms: [c.alg] })).payload;
  }
  const [header, payload, signature] = token.split('.');
  const parsed = JSON.parse(Buffer.from(header, 'base64url'));
  if (parsed.alg !== c.alg) throw new Error(`alg is ${parsed.alg}`);
  const jwk = key.jwks ? key.jwks.keys.find((k) => k.kid === parsed.kid) : key.jwk;
  const imported = crypto.createPublicKey(jwk ? { key: jwk, format: 'jwk' } : key.pem);
  if (!crypto.verify(digest(c), Buffer.from(`${header}.${payload}`), options(c, imported), Buffer.from(signature, 'base64url'))) {
    throw new Error('signature verification failed');
  }
  return JSON.parse(Buffer.from(payload, 'base64url'));
}

// The same token with another claim under the old signature.
export function tampered(token) {
  const [header, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  return `${header}.${base64url({ ...claims, sub: 'mallory' })}.${signature}`;
}

export async function readInput() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks));
}
