// Checks in, each with its verdict out: the subject, or what was refused.
//
// { c, key, token }: verify.  { c, key, sign_with }: sign with that key and
// verify with the other.

import { readInput, sign, tampered, verify } from './jws.mjs';

async function subject(c, key, token) {
  try {
    return (await verify(c, key, token)).sub;
  } catch (error) {
    return error.code ?? error.message;
  }
}

const verdicts = [];
for (const check of await readInput()) {
  const { c, key } = check;
  const token = check.token ?? await sign(c, check.sign_with, {}, { sub: `${c.name} é €` });
  const forged = await subject(c, key, tampered(token));
  verdicts.push({
    ...check,
    subject: await subject(c, key, token),
    forged: /^ERR_JWS_SIGNATURE_VERIFICATION_FAILED$|^signature verification failed$/.test(forged) ? 'refused' : forged,
  });
}
console.log(JSON.stringify(verdicts));
