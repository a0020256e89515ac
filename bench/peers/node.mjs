// jose, jsonwebtoken and fast-jwt: run as "node node.mjs FOLDER MILLISECONDS
// ALG...", prints what the C programs print (see peer.h).  Keys are made once
// and kept, as each library's manual advises.

import { createRequire } from 'node:module'
import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [folder, milliseconds, ...algs] = process.argv.slice(2)

// import() does not look at NODE_PATH, require() does
const require = createRequire(import.meta.url)
const jose = await import(pathToFileURL(require.resolve('jose')))
const jsonwebtoken = require('jsonwebtoken')
const fastJwt = require('fast-jwt')

function keysOf(alg, text) {
  if (alg.startsWith('HS')) {
    const secret = createSecretKey(text)
    return { signing: secret, verifying: secret, fast: { signing: text, verifying: text } }
  }
  const signing = createPrivateKey(text)
  const verifying = createPublicKey(signing)
  return {
    signing,
    verifying,
    fast: {
      signing: text.toString(),
      verifying: verifying.export({ type: 'spki', format: 'pem' })
    }
  }
}

// What each library does with one token and one set of claims.
function librariesFor(alg, keys, claims) {
  const algorithms = [alg]
  const sign = fastJwt.createSigner({ key: keys.fast.signing, algorithm: alg })
  const verify = fastJwt.createVerifier({ key: keys.fast.verifying, algorithms })
  const libraries = {
    jose: {
      verify: token => jose.jwtVerify(token, keys.verifying, { algorithms }),
      sign: () => new jose.SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT' }).sign(keys.signing)
    },
    'fast-jwt': { verify, sign: () => sign(claims) }
  }
  if (alg === 'HS256') {
    const cached = fastJwt.createVerifier({ key: keys.fast.verifying, algorithms, cache: true })
    libraries['fast-jwt'].cached = token => cached(token)
  }
  // it has no EdDSA
  if (alg !== 'EdDSA') {
    libraries.jsonwebtoken = {
      verify: token => jsonwebtoken.verify(token, keys.verifying, { algorithms }),
      sign: () => jsonwebtoken.sign(claims, keys.signing, { algorithm: alg, noTimestamp: true })
    }
  }
  return libraries
}

// Processor time, as the other programs count it: of all threads, since jose
// has some of its work done by others.
function processorTime() {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

async function forSomeTime(operation, tokens, nanoseconds) {
  const start = processorTime()
  let calls = 0
  let passed
  do {
    for (let i = 0; i < 10; i++) {
      const result = operation(tokens[calls++ % tokens.length])
      if (result instanceof Promise) await result
    }
    passed = processorTime() - start
  } while (passed < nanoseconds)
  return passed / calls
}

async function measure(operation, tokens) {
  const nanoseconds = Number(milliseconds) * 1e6
  // until the compiler is done with it
  await forSomeTime(operation, tokens, 4 * nanoseconds)
  return forSomeTime(operation, tokens, nanoseconds)
}

const claims = JSON.parse(readFileSync(`${folder}/claims.json`))
for (const alg of algs) {
  const tokens = readFileSync(`${folder}/${alg}.tokens`, 'utf8').trim().split('\n')
  const libraries = librariesFor(alg, keysOf(alg, readFileSync(`${folder}/${alg}.key`)), claims)
  for (const [name, library] of Object.entries(libraries)) {
    console.log(`${alg}/verify/${name} ${(await measure(library.verify, tokens)).toFixed(1)}`)
    console.log(`${alg}/sign/${name} ${(await measure(library.sign, tokens)).toFixed(1)}`)
    if (library.cached) {
      console.log(`${alg}/cached/${name} ${(await measure(library.cached, tokens.slice(0, 1))).toFixed(1)}`)
    }
  }
}
