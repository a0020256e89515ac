'use strict';

// browse.js URL [SCREENSHOT]: uses the page as people do, in Chromium, and
// prints a line for each thing that went as it should.

const assert = require('node:assert');
const { chromium } = require('playwright-core');

const [url, screenshot] = process.argv.slice(2);
const ok = (what) => console.log(`ok: ${what}`);

async function signIn(page, email, password) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const notes = (page) => page.getByRole('list', { name: 'Your notes' }).getByRole('listitem');

async function main(browser) {
  const desk = await browser.newContext({ viewport: { width: 800, height: 700 } });
  const page = await desk.newPage();
  const crashes = [];
  page.on('pageerror', (error) => crashes.push(error));
  await page.goto(url);

  await signIn(page, 'alice@example.com', 'wrong');
  await page.getByText('Wrong email or password.').waitFor();
  ok('a wrong password is refused');

  await signIn(page, 'alice@example.com', 'correct horse');
  await page.getByText('Signed in as Alice').waitFor();
  assert.deepStrictEqual(await notes(page).allTextContents(), ['Call Bob', 'Water the plants']);
  await page.getByLabel('New note').fill('<b>Tea</b>');
  await page.getByRole('button', { name: 'Add' }).click();
  await notes(page).getByText('<b>Tea</b>').waitFor();
  ok('Alice sees her notes and adds one');

  // No script reads the refresh token, and no other site sends it.
  const [cookie, ...others] = await desk.cookies(`${url}session`);
  assert.deepStrictEqual(
    [cookie.httpOnly, cookie.sameSite, cookie.secure, cookie.path, others.length],
    [true, 'Strict', true, '/session', 0]);
  assert.strictEqual(await page.evaluate(() => document.cookie), '');
  ok('the refresh token is out of the reach of scripts');

  const first = await page.evaluate(() => session.token);
  await page.getByText('Access token 2').waitFor();
  assert.notStrictEqual((await desk.cookies(`${url}session`))[0].value, cookie.value);
  const get = (where, token) => where.evaluate(async (t) => {
    const response = await fetch('/notes', { headers: { Authorization: `Bearer ${t}` } });
    return [response.status, (await response.json()).error];
  }, token);
  while ((await get(page, first))[0] === 200) await page.waitForTimeout(100);
  assert.deepStrictEqual(await get(page, first), [401, '28J01']);
  assert.strictEqual(await notes(page).count(), 3);
  ok('the page refreshes its token, and the first one has expired');

  await page.reload();
  await page.getByText('Signed in as Alice').waitFor();
  ok('a reload goes on where it was');

  const phone = await browser.newContext({ viewport: { width: 390, height: 700 } });
  const other = await phone.newPage();
  await other.goto(url);
  await signIn(other, 'bob@example.com', 'battery staple');
  await other.getByText('Signed in as Bob').waitFor();
  assert.deepStrictEqual(await notes(other).allTextContents(), ['Do not call Alice']);
  await other.getByRole('button', { name: 'Sign out', exact: true }).click();
  await other.getByLabel('Email').waitFor();
  assert.deepStrictEqual(await phone.cookies(), []);
  ok('Bob sees his own note and signs out');

  await signIn(other, 'alice@example.com', 'correct horse');
  const elsewhere = other.getByRole('button', { name: /^Sign out Chrome/ });
  await elsewhere.waitFor();
  if (screenshot) {
    await page.evaluate(() => show());
    await page.screenshot({ path: screenshot });
  }

  // The access token has not expired yet, and is refused all the same (unless
  // this machine is so slow that it has: expired comes first).
  const began = Date.now();
  const last = await page.evaluate(async () => {
    await refresh();
    return session.token;
  });
  await elsewhere.click();
  await elsewhere.waitFor({ state: 'detached' });
  const refused = await get(other, last);
  const codes = Date.now() - began < 1900 ? ['28J09'] : ['28J09', '28J01'];
  assert(refused[0] === 401 && codes.includes(refused[1]), `${refused}`);
  ok('signed out elsewhere: the access token is refused at once');
  await page.getByText('You were signed out.').waitFor();
  await page.getByLabel('Email').waitFor();
  assert.strictEqual(await page.getByText('Call Bob').count(), 0);
  assert.strictEqual(await other.getByText('Signed in as Alice').count(), 1);
  ok('and the page is thrown out');
  assert.deepStrictEqual(crashes, []);
}

(async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    await main(browser);
    console.log('login-page: all as promised');
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
