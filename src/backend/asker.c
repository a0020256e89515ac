/*-------------------------------------------------------------------------
 *
 * asker.c
 *	  The tokens that were set in a transaction, for portals opened earlier.
 *
 * A cursor belongs to the identity under which it was opened, but nothing of
 * ours runs when one is opened.  So the tokens that were replaced are kept
 * until the transaction ends, with the statement that replaced them, and a
 * portal's time of creation tells which of them was in force then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "asker.h"
#include "guc.h"
#include "primitive.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define MAX_PAST 16				/* statements that replace a token */
#define MAX_TOKEN (1024 * 1024) /* bytes; a longer one is none */

static MemoryContext context = NULL;
static JwtAuthAsker *present = NULL;	/* made when somebody wants it */
static JwtAuthAsker *past[MAX_PAST];	/* oldest first */
static int	npast = 0;
static bool forgot = false;		/* one that could not be kept */

/* Where and when the token was last set; compared, never followed. */
static struct
{
	TimestampTz at;
	Portal		in;
	TimestampTz portal_created;
}			last_set;

/* NULL if there is no memory: an assign hook may not fail. */
static JwtAuthAsker *
make_asker(void)
{
	const char *token = jwtauth_token ? jwtauth_token : "";
	size_t		len = strlen(token);
	JwtAuthAsker *asker = NULL;

	if (len <= MAX_TOKEN)
		asker = MemoryContextAllocExtended(context,
										   offsetof(JwtAuthAsker, token) + len + 1,
										   MCXT_ALLOC_NO_OOM);
	if (asker == NULL)
		return NULL;
	asker->holders = 1;
	asker->until = 0;
	asker->len = len;
	memcpy(asker->token, token, len + 1);
	return asker;
}

static JwtAuthAsker *
hold(JwtAuthAsker *asker)
{
	asker->holders++;
	return asker;
}

void
jwtauth_asker_release(JwtAuthAsker *asker)
{
	if (asker == NULL || --asker->holders > 0)
		return;
	jwt_wipe(asker->token, asker->len);
	pfree(asker);
}

bool
jwtauth_asker_is_present(const JwtAuthAsker *asker)
{
	return asker == present ||
		strcmp(asker->token, jwtauth_token ? jwtauth_token : "") == 0;
}

void
jwtauth_asker_leaves(void)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	JwtAuthAsker *leaving = present;

	present = NULL;

	/* What one statement sets in turn was in force for no portal before it. */
	if (IsTransactionState() && last_set.at != now)
	{
		if (leaving == NULL && npast < MAX_PAST)
			leaving = make_asker();
		if (leaving != NULL && npast < MAX_PAST)
		{
			leaving->until = now;
			past[npast++] = hold(leaving);
		}
		else
			forgot = true;
	}
	jwtauth_asker_release(leaving);

	last_set.at = now;
	last_set.in = ActivePortal;
	last_set.portal_created = ActivePortal ? ActivePortal->creation_time : 0;
}

/* No portal outlives its transaction, but for what it has read. */
static void
at_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE ||
		event == XACT_EVENT_PARALLEL_PRE_COMMIT)
		return;
	while (npast > 0)
		jwtauth_asker_release(past[--npast]);
	jwtauth_asker_release(present);
	present = NULL;
	forgot = false;
}

void
jwtauth_askers_begin(void)
{
	context = AllocSetContextCreate(TopMemoryContext, "jwt_auth askers",
									ALLOCSET_SMALL_SIZES);
	RegisterXactCallback(at_transaction_end, NULL);
}

static JwtAuthAsker *
hold_present(void)
{
	if (present == NULL)
		present = make_asker();
	if (present == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return hold(present);
}

static bool
was_set_in(Portal portal)
{
	return last_set.in == portal &&
		last_set.portal_created == portal->creation_time;
}

/* Who asked when the portal was opened. */
static JwtAuthAsker *
hold_opener(Portal portal)
{
	if (last_set.at <= portal->creation_time)
		return hold_present();
	for (int i = 0; i < npast; i++)
		if (past[i]->until > portal->creation_time)
			return hold(past[i]);
	if (!forgot)
		return hold_present();
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cursor belongs to another identity"),
			 errdetail("The token has been replaced too often since the cursor was opened to tell whose it is."),
			 errhint("Fetch from a cursor before you set another token, and close it.")));
	return NULL;				/* keep compiler quiet */
}

JwtAuthAsker *
jwtauth_asker_of(Portal portal, JwtAuthAsker *before)
{
	if (was_set_in(portal))
		return hold_present();
	return before != NULL ? hold(before) : hold_opener(portal);
}
