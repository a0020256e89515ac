/*-------------------------------------------------------------------------
 *
 * key_life.c
 *	  How long tokens live that a key has signed.
 *
 * It is written down as the transaction commits: the row of the key is locked
 * for a moment then, and not from the signature on, so that nobody who signs
 * and stays in a transaction holds up whoever is to revoke the key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "key_admin.h"
#include "keystore.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* It waits for nobody: whoever changes the key just now goes first. */
static JwtAuthStatement note_life = {
	"UPDATE %1$s k SET longest_life = $2 FROM"
	" (SELECT issuer, kid FROM %1$s WHERE issuer = '' AND kid = $1"
	" AND longest_life < $2 FOR UPDATE SKIP LOCKED) f"
	" WHERE k.issuer = f.issuer AND k.kid = f.kid",
	2,
	{TEXTOID, INT4OID}
};

typedef struct Life
{
	struct Life *next;
	int32		seconds;
	char		kid[FLEXIBLE_ARRAY_MEMBER];
} Life;

/* Of this transaction, in TopTransactionContext. */
static Life *lives = NULL;

static void
write_lives(void)
{
	/* Both may have come after the signature. */
	if (XactReadOnly || !OidIsValid(get_extension_oid("jwt_auth", true)))
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	jwtauth_write_begin();
	for (Life *life = lives; life != NULL; life = life->next)
	{
		Datum		values[2];

		values[0] = CStringGetTextDatum(life->kid);
		values[1] = Int32GetDatum(life->seconds);
		(void) jwtauth_execute(&note_life, values, NULL);
	}
	jwtauth_write_end();
	PopActiveSnapshot();
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	if (lives != NULL &&
		(event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE))
		write_lives();
	lives = NULL;
}

static Life *
life_of(const char *kid)
{
	static bool listening = false;
	Life	   *life = lives;

	while (life != NULL && strcmp(life->kid, kid) != 0)
		life = life->next;
	if (life != NULL)
		return life;
	if (!listening)
		RegisterXactCallback(at_transaction_end, NULL);
	listening = true;
	life = MemoryContextAllocZero(TopTransactionContext,
								  offsetof(Life, kid) + strlen(kid) + 1);
	strcpy(life->kid, kid);
	life->next = lives;
	return lives = life;
}

/*
 * The longest life counts, in whole minutes, so that a key's row is written a
 * few times in its life and not for each token.
 */
void
jwtauth_key_note_life(const JwtAuthKey *key, int64 seconds)
{
	Life	   *life;

	if (seconds <= key->longest_life || XactReadOnly || RecoveryInProgress() ||
		IsInParallelMode())
		return;
	seconds = (seconds + SECS_PER_MINUTE - 1) / SECS_PER_MINUTE * SECS_PER_MINUTE;
	life = life_of(key->kid);
	life->seconds = Max(life->seconds, (int32) Min(seconds, PG_INT32_MAX));
}
