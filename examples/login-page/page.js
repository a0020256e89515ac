'use strict';

const $ = (id) => document.getElementById(id);
let session = null;  // access token and its end; in memory only
let refreshing = null;
let timer = null;

function post(url, body) {
  return fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...authorization() },
    body: JSON.stringify(body),
  });
}

const authorization = () => (session ? { Authorization: `Bearer ${session.token}` } : {});

// What the token says, for display; the database decides what it is worth.
function claimsOf(token) {
  const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
}

function takeTokens(answer) {
  session = {
    token: answer.access_token,
    ends: Date.now() + answer.expires_in * 1000,
    number: (session?.number ?? 0) + 1,
  };
  $('number').textContent = session.number;
  clearTimeout(timer);
  // A third of its life before it ends, but at most a minute.
  timer = setTimeout(refresh, (answer.expires_in - Math.min(60, answer.expires_in / 3)) * 1000);
}

// Spends the refresh token, which the browser sends and we never see.
function refresh() {
  refreshing ??= post('/session/refresh', {})
    .then(async (response) => {
      if (response.status === 401) signedOut(session ? 'You were signed out.' : '');
      else if (response.ok) takeTokens(await response.json());
    })
    .finally(() => { refreshing = null; });
  return refreshing;
}

function signedOut(message) {
  clearTimeout(timer);
  session = null;
  $('signed-in').hidden = true;
  $('notes').replaceChildren();
  $('sessions').replaceChildren();
  $('sign-in').hidden = false;
  $('message').textContent = message;
  $('email').focus();
}

// A request of the signed-in user.  Expired (28J01): refresh, then once more.
async function call(send, mayRefresh = true) {
  const response = await send();
  const body = await response.json();
  if (response.ok) return body;
  if (body.error === '28J01' && mayRefresh) {
    await refresh();
    if (session) return call(send, false);
  } else if (response.status === 401) {
    signedOut('You were signed out.');
  } else {
    $('message').textContent = `That did not work (${body.error}).`;
  }
  return null;
}

const get = (url) => call(() => fetch(url, { headers: authorization() }));

function item(text, button) {
  const li = document.createElement('li');
  const span = document.createElement('span');
  span.textContent = text;
  li.append(span, ...(button ? [button] : []));
  return li;
}

function closeButton(sid, label) {
  const button = document.createElement('button');
  button.className = 'quiet';
  button.textContent = 'Sign out';
  button.setAttribute('aria-label', `Sign out ${label}`);
  button.onclick = () => call(() => post('/sessions/close', { sid })).then(show);
  return button;
}

async function show() {
  const notes = session && await get('/notes');
  const sessions = session && await get('/sessions');
  if (!notes || !sessions) return;
  $('name').textContent = claimsOf(session.token).name;
  $('notes').replaceChildren(...notes.map((note) => item(note.body)));
  $('sessions').replaceChildren(...sessions.map((s) => {
    const name = /(Edg|Firefox|Chrome|Safari)\//.exec(s.browser)?.[1] ?? 'Browser';
    const label = `${name}, since ${new Date(s.opened_at).toLocaleTimeString()}`;
    return s.is_this ? item(`${label} (this one)`) : item(label, closeButton(s.sid, label));
  }));
  $('sign-in').hidden = true;
  $('signed-in').hidden = false;
  $('message').textContent = '';
}

$('sign-in').onsubmit = async (event) => {
  event.preventDefault();
  const response = await post('/session', { email: $('email').value, password: $('password').value });
  const body = await response.json();
  $('password').value = '';
  if (!response.ok) {
    $('message').textContent = body.error_description ?? 'That did not work.';
    return;
  }
  takeTokens(body);
  await show();
};

$('add').onsubmit = async (event) => {
  event.preventDefault();
  const body = $('body').value;
  if (!await call(() => post('/notes', { body }))) return;
  $('body').value = '';
  await show();
};

$('sign-out').onclick = async () => {
  await post('/session/logout', {});
  signedOut('');
};

setInterval(() => {
  if (session) $('seconds').textContent = Math.max(0, Math.ceil((session.ends - Date.now()) / 1000));
}, 200);

// Another browser may have changed things meanwhile.
window.onfocus = show;

// A page that is opened again goes on where it was.
refresh().then(show);
