'use strict';

// One transaction as whoever the token says.  The identity ends with it, so
// the connection goes back to the pool as nobody.
async function withToken(pool, token, work) {
  const client = await pool.connect();
  let broken;
  try {
    await client.query('BEGIN');
    await client.query('SELECT jwt.authenticate($1)', [token]);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((e) => { broken = e; });
    throw error;
  } finally {
    // A connection that cannot even roll back is thrown away.
    client.release(broken);
  }
}

// A signed-in user: runs work, and refreshes when the token has expired.
class Session {
  constructor(pool, tokens) {
    this.pool = pool;
    this.tokens = tokens;
    this.refreshes = 0;
  }

  static async signIn(pool, who) {
    const { rows } = await pool.query('SELECT app.sign_in($1) AS tokens', [who]);
    if (!rows[0].tokens) throw new Error(`nobody is called ${who}`);
    return new Session(pool, rows[0].tokens);
  }

  async run(work) {
    const token = this.tokens.access_token;
    try {
      return await withToken(this.pool, token, work);
    } catch (error) {
      // 28J01: expired.  Whatever work() did was rolled back, so that it may
      // run again.  Any other 28J error is final.
      if (error.code !== '28J01') throw error;
    }
    if (token === this.tokens.access_token) await this.refresh();
    return withToken(this.pool, this.tokens.access_token, work);
  }

  // Requests that find the token expired together refresh it once.
  refresh() {
    this.refreshing ??= this.spendRefreshToken().finally(() => { this.refreshing = undefined; });
    return this.refreshing;
  }

  async spendRefreshToken() {
    const { rows } = await this.pool.query(
      'SELECT app.refresh($1) AS answer', [this.tokens.refresh_token]);
    const { answer } = rows[0];
    // Refusals are returned, not raised: the user must sign in again.
    if (answer.error) throw Object.assign(new Error(answer.error), { code: answer.error });
    this.tokens = answer;
    this.refreshes++;
  }

  signOut() {
    return this.pool.query('SELECT app.sign_out($1)', [this.tokens.refresh_token]);
  }
}

module.exports = { Session, withToken };
