'use strict';

// PostGraphile 4 in front of row-level security.  It opens a transaction for
// each request and sets what pgSettings() returns locally in it: the role, and
// jwt_auth.token, which the policies read through jwt.subject().

const http = require('node:http');
const { Pool } = require('pg');
const { postgraphile } = require('postgraphile');

const pool = new Pool({ user: 'graphile_login', max: 2 });
pool.on('error', (error) => console.error(error.message));  // of an idle connection

async function pgSettings(req) {
  const { authorization } = req.headers;
  // '' and not absent: whatever the connection had before, nobody is asking.
  if (!authorization) return { role: 'graphile_anon', 'jwt_auth.token': '' };

  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
  // The token decides the rows, at each statement.  It is asked here because
  // setting it alone takes no role: what graphile_user may read without a
  // policy would be open to any token, and a client expects 401, not 200.
  const { rows: [{ valid, error_code: code }] } = await pool.query(
    'SELECT valid, error_code FROM jwt.try_verify($1)', [token]);
  if (!valid) throw Object.assign(new Error(`token refused (${code})`), { status: 401 });
  return { role: 'graphile_user', 'jwt_auth.token': token };
}

const server = http.createServer(postgraphile(pool, 'api', {
  pgSettings,
  ignoreRBAC: false,       // the schema shows what the roles may do
  disableQueryLog: true,
}));

// PORT unset: any free one.
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/graphql`);
});
