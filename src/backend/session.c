/*-------------------------------------------------------------------------
 *
 * session.c
 *	  Sessions opened and refreshed.
 *
 * The rules of rotation are the design's: each refresh spends the token it
 * is given; the direct predecessor, sent again soon enough, gets the same
 * successor; anything older that is genuine is a replay and closes the
 * session.  All ends are returned as JSON, never raised, because an error
 * would undo what was recorded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "claims_hook.h"
#include "event.h"
#include "guc.h"
#include "json.h"
#include "miscadmin.h"
#include "report.h"
#include "revocation.h"
#include "secret.h"
#include "session.h"
#include "session_row.h"
#include "signer.h"
#include "stats.h"
#include "transport.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* What a presented refresh token turns out to be. */
typedef enum Grant
{
	GRANT_UNKNOWN,				/* nothing of ours: no effect */
	GRANT_ENDED,				/* its session is closed or expired */
	GRANT_LIVE,
	GRANT_REPEATED,				/* direct predecessor, within the interval */
	GRANT_REPLAYED				/* genuine and spent */
} Grant;

/* A refresh that was asked for. */
typedef struct Refresh
{
	const JwtRefreshToken *token;
	Jsonb	   *client;			/* NULL: no news of it */
	TimestampTz now;			/* the statement's clock: what is signed
								 * counts from it */
	TimestampTz arrived;		/* the real one, before any waiting: what the
								 * token is judged by */
} Refresh;

/* RFC 6749, Sec. 5.2. */
static Jsonb *
oauth_error(const char *error, const char *description)
{
	JwtAuthJsonBuilder *b = jwtauth_json_begin();

	jwtauth_json_put_string(b, "error", error);
	jwtauth_json_put_string(b, "error_description", description);
	return jwtauth_json_end(b);
}

/* One description for all: why a token is refused is not the thief's. */
static Jsonb *
invalid_grant(void)
{
	jwtauth_stats_session(JWTAUTH_REFRESH_REFUSED);
	return oauth_error("invalid_grant",
					   "The refresh token is unknown, expired, spent or of a closed session.");
}

static TimestampTz
seconds_after(TimestampTz at, int seconds)
{
	return TimestampTzPlusMilliseconds(at, seconds * (int64) 1000);
}

static int64
whole_seconds(TimestampTz from, TimestampTz to)
{
	return Max((to - from) / USECS_PER_SEC, 0);
}

/*
 * No access token outlives its session, and none is longer than the row says:
 * a refresh that is rolled back leaves no other trace (purge.c).
 */
static TimestampTz
access_token_limit(JwtAuthSession *s, TimestampTz now)
{
	s->access_lifetime = Max(s->access_lifetime, jwtauth_access_token_lifetime);
	return Min(seconds_after(now, jwtauth_access_token_lifetime), s->expires_at);
}

static text *
sign_access_token(JwtAuthSession *s, Jsonb *claims, TimestampTz now)
{
	JwtAuthSignRequest request = {0};
	JwtAuthJsonBuilder *b = jwtauth_json_begin();
	JwtSlice	none = {NULL, 0};
	JsonbValue	value;
	char	   *sid = DatumGetCString(DirectFunctionCall1(uuid_out,
														  UUIDPGetDatum(&s->sid)));
	int64		exp;

	s->access_expires_at = access_token_limit(s, now);
	exp = jwtauth_unix_us(s->access_expires_at);

	/* A token that we would refuse ourselves is good for nothing. */
	if (jwtauth_audience != NULL && jwtauth_audience[0] != '\0' &&
		!jwtauth_json_member(claims, "aud", &value))
		jwtauth_json_put_string(b, "aud", jwtauth_audience);
	jwtauth_json_put_all(b, claims);
	jwtauth_json_put_slice(b, "sub", s->subject);
	jwtauth_json_put_string(b, "sid", sid);
	jwtauth_json_put_int(b, "auth_time",
						 jwtauth_unix_us(s->opened_at) / USECS_PER_SEC);
	jwtauth_json_put_int(b, "exp", exp / USECS_PER_SEC);
	request.claims = jwtauth_json_end(b);
	return jwtauth_sign(&request, none);
}

/* RFC 6749, Sec. 5.1. */
static Jsonb *
token_response(const JwtAuthSession *s, text * access_token,
			   const JwtRefreshToken *refresh, TimestampTz now)
{
	JwtAuthJsonBuilder *b = jwtauth_json_begin();
	char		text[JWT_REFRESH_TOKEN_LEN];
	JwtSlice	slice = {text, JWT_REFRESH_TOKEN_LEN};
	Jsonb	   *response;

	jwt_refresh_token_encode(refresh, text);
	jwtauth_json_put_slice(b, "access_token",
						   jwtauth_text_slice(PointerGetDatum(access_token)));
	jwtauth_json_put_string(b, "token_type", "Bearer");
	jwtauth_json_put_int(b, "expires_in",
						 whole_seconds(now, s->access_expires_at));
	jwtauth_json_put_slice(b, "refresh_token", slice);
	jwtauth_json_put_int(b, "refresh_expires_in",
						 whole_seconds(now, Min(s->idle_expires_at,
												s->expires_at)));
	response = jwtauth_json_end(b);
	jwt_wipe(text, sizeof(text));
	return response;
}

static void
record(const char *kind, const JwtAuthSession *s)
{
	JwtAuthEvent event = {0};

	event.kind = kind;
	event.subject = s->subject;
	event.sid = &s->sid;
	jwtauth_event_record(&event);
}

/* RFC 9562, Sec. 5.4: a random UUID. */
static void
random_sid(pg_uuid_t *sid)
{
	jwtauth_check_machine(jwt_random(sid->data, UUID_LEN));
	sid->data[6] = (sid->data[6] & 0x0f) | 0x40;
	sid->data[8] = (sid->data[8] & 0x3f) | 0x80;
}

static void
first_refresh_token(JwtAuthSession *s, JwtRefreshToken *token)
{
	memcpy(token->sid, s->sid.data, JWT_SID_LEN);
	token->generation = s->generation = 1;
	jwtauth_check_machine(jwt_random(s->tag_key, sizeof(s->tag_key)));
	jwtauth_check_machine(jwt_random(token->secret, sizeof(token->secret)));
	jwtauth_check_machine(jwt_refresh_token_seal(token, s->tag_key));
	jwtauth_check_machine(jwt_refresh_token_hash(token, s->live_hash));
}

Jsonb *
jwtauth_session_open(JwtSlice subject, Jsonb *claims, Jsonb *client)
{
	TimestampTz now = jwtauth_now();
	JwtSlice	own = {"", 0};
	JwtAuthSession *s = jwtauth_secret_alloc(sizeof(JwtAuthSession));
	JwtRefreshToken *refresh = jwtauth_secret_alloc(sizeof(JwtRefreshToken));
	JwtAuthCutoff cutoff;
	Jsonb	   *granted;
	text	   *access_token;

	jwtauth_check_session_claims(claims);
	random_sid(&s->sid);
	granted = jwtauth_claims_hook_call(subject, &s->sid, claims);
	if (granted == NULL)
		return oauth_error("invalid_grant", "The claims hook refused the session.");

	s->subject = subject;
	s->claims = claims;
	s->client = client;
	jwtauth_sessions_make_room(subject);

	cutoff = jwtauth_subject_cutoff(own, subject, NULL);
	s->opened_at = jwtauth_issued_at(&cutoff, now);
	if (s->opened_at <= cutoff.sessions)
		return oauth_error("invalid_grant", "Everything of the subject was revoked meanwhile.");
	s->expires_at = seconds_after(s->opened_at, jwtauth_session_lifetime);
	s->idle_expires_at = seconds_after(now, jwtauth_refresh_token_lifetime);
	access_token = sign_access_token(s, granted, now);
	first_refresh_token(s, refresh);
	jwtauth_session_insert(s);
	jwtauth_stats_session(JWTAUTH_SESSIONS_OPENED);
	if (jwtauth_session_events)
		record("session opened", s);
	return token_response(s, access_token, refresh, now);
}

static bool
is_over(const JwtAuthSession *s, TimestampTz at)
{
	return s->is_closed || at >= s->expires_at || at >= s->idle_expires_at;
}

static bool
is_genuine(const JwtRefreshToken *token, const unsigned char *tag_key)
{
	JwtStatus	status = jwt_refresh_token_check(token, tag_key);

	jwtauth_check_machine(status);
	return status == JWT_OK;
}

/* What is this token?  The session is locked and read. */
static Grant
classify(const Refresh *asked, const JwtAuthSession *s)
{
	const JwtRefreshToken *token = asked->token;
	unsigned char hash[JWT_SHA256_LEN];

	if (!is_genuine(token, s->tag_key))
		return GRANT_UNKNOWN;
	if (is_over(s, asked->arrived))
		return GRANT_ENDED;

	jwtauth_check_machine(jwt_refresh_token_hash(token, hash));
	if (token->generation == s->generation &&
		jwt_equal_consttime(hash, s->live_hash, sizeof(hash)))
		return GRANT_LIVE;

	/*
	 * The interval counts from the rotation to the arrival: waiting for the
	 * lock costs nobody their session, and a statement that began long ago
	 * keeps no spent token good.
	 */
	if (s->has_previous && token->generation + 1 == s->generation &&
		jwt_equal_consttime(hash, s->previous_hash, sizeof(hash)) &&
		jwtauth_refresh_reuse_interval > 0 &&
		asked->arrived <= seconds_after(s->refreshed_at,
										jwtauth_refresh_reuse_interval))
		return GRANT_REPEATED;
	return GRANT_REPLAYED;
}

/* The live token is spent, its successor becomes the live one. */
static void
rotate(JwtAuthSession *s, const JwtRefreshToken *token, JwtRefreshToken *next)
{
	TimestampTz at = GetCurrentTimestamp();

	jwtauth_check_machine(jwt_random(s->salt, sizeof(s->salt)));
	jwtauth_check_machine(jwt_refresh_token_next(token, s->salt, s->tag_key,
												 next));
	memcpy(s->previous_hash, s->live_hash, JWT_SHA256_LEN);
	jwtauth_check_machine(jwt_refresh_token_hash(next, s->live_hash));
	s->generation = next->generation;
	s->refreshed_at = at;
	s->idle_expires_at = seconds_after(at, jwtauth_refresh_token_lifetime);
}

/* The same successor again; false if the row says it is not. */
static bool
succeed_again(const JwtAuthSession *s, const JwtRefreshToken *token,
			  JwtRefreshToken *next)
{
	unsigned char hash[JWT_SHA256_LEN];

	jwtauth_check_machine(jwt_refresh_token_next(token, s->salt, s->tag_key,
												 next));
	jwtauth_check_machine(jwt_refresh_token_hash(next, hash));
	return jwt_equal_consttime(hash, s->live_hash, sizeof(hash));
}

/* Writes that the session goes on, and gives the token it goes on with. */
static bool
successor(JwtAuthSession *s, const JwtRefreshToken *token,
		  JwtRefreshToken *next, Grant grant)
{
	if (grant == GRANT_LIVE)
	{
		rotate(s, token, next);
		jwtauth_session_update(s);
	}
	else if (succeed_again(s, token, next))
		jwtauth_session_touch(s);
	else
		return false;
	jwtauth_stats_session(JWTAUTH_REFRESHED);
	return true;
}

/* The token is good for a successor: ask the hook, sign, write. */
static Jsonb *
grant_refresh(JwtAuthSession *s, const Refresh *asked, Grant grant)
{
	JwtRefreshToken *next = jwtauth_secret_alloc(sizeof(JwtRefreshToken));
	Jsonb	   *granted;
	text	   *access_token;

	granted = jwtauth_claims_hook_call(s->subject, &s->sid, s->claims);
	if (granted == NULL)
	{
		jwtauth_session_close(&s->sid, "refused by claims hook");
		return invalid_grant();
	}

	/* The hook is anybody's code: it may have closed or refreshed it. */
	if (jwtauth_claims_hook_is_set())
	{
		if (!jwtauth_session_read(&s->sid, s))
			return invalid_grant();
		grant = classify(asked, s);
		if (grant != GRANT_LIVE && grant != GRANT_REPEATED)
			return invalid_grant();
	}
	s->client = asked->client;
	access_token = sign_access_token(s, granted, asked->now);
	return successor(s, asked->token, next, grant) ?
		token_response(s, access_token, next, asked->now) : invalid_grant();
}

static Jsonb *
answer_refresh(JwtAuthSession *s, const Refresh *asked, Grant grant)
{
	switch (grant)
	{
		case GRANT_LIVE:
		case GRANT_REPEATED:
			return grant_refresh(s, asked, grant);
		case GRANT_REPLAYED:
			jwtauth_stats_session(JWTAUTH_REPLAYS);
			record("refresh token replayed", s);
			if (jwtauth_session_close(&s->sid, "replay"))
				jwtauth_event_notify("replay", &s->sid);
			return invalid_grant();
		default:
			return invalid_grant();
	}
}

Jsonb *
jwtauth_session_refresh(JwtSlice refresh_token, Jsonb *client)
{
	JwtRefreshToken *token = jwtauth_secret_alloc(sizeof(JwtRefreshToken));
	JwtAuthSession *s = jwtauth_secret_alloc(sizeof(JwtAuthSession));
	Refresh		asked = {token, client, jwtauth_now(), GetCurrentTimestamp()};
	pg_uuid_t	sid;
	Grant		grant = GRANT_UNKNOWN;
	JwtAuthFault fault = {0};

	/* Raised: there is nothing yet that an error could undo. */
	if (jwtauth_judge_transport(&fault) != JWT_OK)
		jwtauth_raise(&fault);
	if (refresh_token.len == 0)
		return oauth_error("invalid_request", "The refresh token is missing.");
	if (jwt_refresh_token_decode(refresh_token, token) != JWT_OK)
		return invalid_grant();

	/*
	 * A wrong tag has no effect at all: a sid stands in every access token,
	 * and knowing it must close nothing, and keep nobody waiting.  The tag's
	 * key never changes, so it is asked without the lock.
	 */
	memcpy(sid.data, token->sid, UUID_LEN);
	if (!jwtauth_session_tag_key(&sid, s->tag_key) ||
		!is_genuine(token, s->tag_key))
		return invalid_grant();
	jwtauth_session_lock(&sid);
	if (jwtauth_session_read(&sid, s))
		grant = classify(&asked, s);
	return answer_refresh(s, &asked, grant);
}

/*
 * Like an access token of open or refresh it is none that outlives what the
 * row knows, whoever rolls back: no longer at a time than those.
 */
JwtAuthRenewal
jwtauth_session_renew(const pg_uuid_t *sid, int64 *exp)
{
	TimestampTz arrived = GetCurrentTimestamp();
	JwtAuthSession *s = jwtauth_secret_alloc(sizeof(JwtAuthSession));
	TimestampTz limit;

	if (!jwtauth_session_read(sid, s))
		return JWTAUTH_NO_SESSION;
	PreventCommandIfReadOnly("jwt.renew()");
	jwtauth_session_lock(sid);
	if (!jwtauth_session_read(sid, s) || is_over(s, arrived))
		return JWTAUTH_SESSION_OVER;
	limit = access_token_limit(s, jwtauth_now());
	*exp = Min(*exp, jwtauth_unix_us(limit) / USECS_PER_SEC * USECS_PER_SEC);
	s->access_expires_at = jwtauth_from_unix_us(*exp);
	jwtauth_session_touch(s);
	return JWTAUTH_SESSION_GOES_ON;
}
