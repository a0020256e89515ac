// Just enough of PostgreSQL's protocol (version 3, trust, simple query) to
// ask a server; so that nothing but node has to be where the fuzzer runs.

import { createConnection } from 'node:net';

function message(type, ...parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const head = Buffer.alloc(type ? 5 : 4);
  if (type) head.write(type);
  head.writeInt32BE(body.length + 4, type ? 1 : 0);
  return Buffer.concat([head, body]);
}

// What an ErrorResponse says: { C: SQLSTATE, M: message, ... }.
function fields(body) {
  const said = {};
  for (const field of body.toString().split('\0')) {
    if (field) said[field[0]] = field.slice(1);
  }
  return said;
}

function row(body) {
  const values = [];
  for (let at = 2, left = body.readInt16BE(0); left > 0; left -= 1) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(length, 0);
  }
  return values;
}

// Answers query(sql) -> rows, which throws what the server refuses; all is
// lost if the server goes away.
export async function connect(database) {
  const { PGHOST: host = '/tmp', PGPORT: port = '5432', PGUSER: user = 'postgres' } = process.env;
  const socket = host.startsWith('/')
    ? createConnection(`${host}/.s.PGSQL.${port}`) : createConnection(Number(port), host);
  let buffered = Buffer.alloc(0);
  let rows = [];
  let failure = null;
  let waiting = null;

  const settle = (error) => {
    const { resolve, reject } = waiting ?? { resolve() {}, reject() {} };
    waiting = null;
    if (error) reject(error);
    else resolve(rows);
  };
  const take = (type, body) => {
    if (type === 'D') rows.push(row(body));
    else if (type === 'E') failure = Object.assign(new Error(fields(body).M), { code: fields(body).C });
    else if (type === 'R' && body.readInt32BE(0) !== 0) settle(new Error('the server wants a password'));
    else if (type === 'Z') settle(failure);
  };
  socket.on('data', (data) => {
    buffered = Buffer.concat([buffered, data]);
    while (buffered.length >= 5 && buffered.length > buffered.readInt32BE(1)) {
      const length = buffered.readInt32BE(1) + 1;
      take(String.fromCharCode(buffered[0]), buffered.subarray(5, length));
      buffered = buffered.subarray(length);
    }
  });
  const gone = (error) => settle(Object.assign(new Error(`the server is gone: ${error?.message ?? failure?.message ?? 'no reason given'}`), { gone: true }));
  socket.on('error', gone);
  socket.on('close', gone);

  const send = (data) => new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    rows = [];
    failure = null;
    socket.write(data);
  });
  await send(message('', [0, 3, 0, 0], `user\0${user}\0database\0${database}\0client_encoding\0UTF8\0\0`));
  return {
    query: (sql) => send(message('Q', `${sql}\0`)),
    end: () => { socket.removeAllListeners('close'); socket.end(message('X')); },
  };
}

// A literal; there is no way to write a zero byte.
export function literal(value) {
  if (value === null || value === undefined) return 'NULL';
  if (Array.isArray(value)) return value.length ? `ARRAY[${value.map(literal)}]::text[]` : "'{}'::text[]";
  const text = String(value).replaceAll('\0', '');
  return text.includes('\\') ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` : `'${text.replaceAll("'", "''")}'`;
}
