'use strict';

// A login page.  The access token lives in the page's memory and comes in the
// Authorization header; the refresh token lives in a cookie that no script can
// read and no other site can send.

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Pool } = require('pg');

const pool = new Pool({ user: 'page_login', max: 4 });
pool.on('error', (error) => console.error(error.message));  // of an idle connection

// One request's queries in one transaction, as nobody or by the token.
async function transaction(token, work) {
  const client = await pool.connect();
  let broken;
  try {
    await client.query('BEGIN');
    if (token === null) await client.query('SET LOCAL ROLE page_anon');
    else await client.query('SELECT jwt.authenticate($1)', [token]);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((e) => { broken = e; });
    throw error;
  } finally {
    client.release(broken);
  }
}

const bearer = (req) => /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? '';
const asUser = (req, sql, values) =>
  transaction(bearer(req), (client) => client.query(sql, values)).then((r) => r.rows);
const asNobody = (sql, values) =>
  transaction(null, (client) => client.query(sql, values)).then((r) => r.rows[0]);

// The cookie goes to /session only.  Browsers take http://localhost for secure.
const cookie = (value, seconds) =>
  `refresh=${value}; HttpOnly; SameSite=Strict; Secure; Path=/session; Max-Age=${seconds}`;
const refreshToken = (req) =>
  /(?:^|; )refresh=([^;]*)/.exec(req.headers.cookie ?? '')?.[1] ?? '';

// OAuth's answer: the refresh token into the cookie, the rest to the page.
function tokens({ answer }) {
  if (answer.error) return { status: 401, body: answer, cookie: cookie('', 0) };
  const { refresh_token: secret, refresh_expires_in: seconds, ...body } = answer;
  return { body, cookie: cookie(secret, seconds) };
}

const api = {
  'POST /session': async (req, { email, password }) => tokens(await asNobody(
    'SELECT api.login($1, $2, $3) AS answer',
    [email, password, { browser: String(req.headers['user-agent']).slice(0, 200) }])),
  'POST /session/refresh': async (req) => tokens(await asNobody(
    'SELECT api.refresh($1) AS answer', [refreshToken(req)])),
  'POST /session/logout': async (req) => {
    await asNobody('SELECT api.logout($1)', [refreshToken(req)]);
    return { body: {}, cookie: cookie('', 0) };
  },
  'GET /notes': async (req) => ({
    body: await asUser(req, 'SELECT id, body FROM api.notes ORDER BY id') }),
  'POST /notes': async (req, { body }) => ({
    body: await asUser(req, 'INSERT INTO api.notes (body) VALUES ($1) RETURNING id, body', [body]) }),
  'GET /sessions': async (req) => ({
    body: await asUser(req, `SELECT sid, opened_at, client ->> 'browser' AS browser, is_this
                               FROM jwt.my_sessions ORDER BY opened_at`) }),
  'POST /sessions/close': async (req, { sid }) => ({
    body: await asUser(req, 'SELECT jwt.close_my_session($1) AS closed', [sid]) }),
};

const files = { '/': 'page.html', '/page.css': 'page.css', '/page.js': 'page.js' };
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
  + "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

function failure(error) {
  // Class 28J is the client's fault; the code tells the page what to do.
  if (/^28J/.test(error.code)) return { status: error.code === '28J12' ? 403 : 401, body: { error: error.code } };
  if (error.status) return { status: error.status, body: { error: error.message } };
  if (/^2[23]/.test(error.code)) return { status: 400, body: { error: error.code } };
  console.error(error);
  return { status: 500, body: { error: 'server_error' } };
}

async function readJson(req) {
  // No form of another site can send this type without asking first.
  if (req.headers['content-type'] !== 'application/json') throw Object.assign(new Error('not JSON'), { status: 415 });
  let text = '';
  for await (const piece of req.setEncoding('utf8')) {
    text += piece;
    if (text.length > 10000) throw Object.assign(new Error('too long'), { status: 413 });
  }
  try {
    return Object(JSON.parse(text));
  } catch {
    throw Object.assign(new Error('not JSON'), { status: 400 });
  }
}

async function answer(req) {
  const handler = api[`${req.method} ${req.url}`];
  if (!handler) throw Object.assign(new Error('not found'), { status: 404 });
  return handler(req, req.method === 'POST' ? await readJson(req) : {});
}

const server = http.createServer(async (req, res) => {
  res.setHeader('Content-Security-Policy', policy);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Cache-Control', 'no-store');
  const file = req.method === 'GET' && files[req.url];
  if (file) {
    res.setHeader('Content-Type', types[path.extname(file)]);
    return res.end(fs.readFileSync(path.join(__dirname, file)));
  }
  const reply = await answer(req).catch(failure);
  if (reply.cookie) res.setHeader('Set-Cookie', reply.cookie);
  res.writeHead(reply.status ?? 200, { 'Content-Type': 'application/json' });
  return res.end(JSON.stringify(reply.body));
});

// PORT unset: any free one.
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}/`);
});
