/*-------------------------------------------------------------------------
 *
 * secret.c
 *	  Memory that is overwritten before it is given back.
 *
 * An error leaves a function at any of its calls; what its buffers held is
 * overwritten when PostgreSQL takes their memory context back.  Where the
 * secret is no longer needed earlier, the caller wipes it earlier.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "primitive.h"
#include "secret.h"
#include "utils/memutils.h"

typedef struct SecretGuard
{
	MemoryContextCallback callback;
	void	   *data;
	size_t		size;
} SecretGuard;

static void
wipe_guarded(void *arg)
{
	SecretGuard *guard = arg;

	jwt_wipe(guard->data, guard->size);
}

static void
arm(SecretGuard *guard, void *data, size_t size)
{
	guard->data = data;
	guard->size = size;
	guard->callback.func = wipe_guarded;
	guard->callback.arg = guard;
	MemoryContextRegisterResetCallback(CurrentMemoryContext,
									   &guard->callback);
}

void *
jwtauth_secret_alloc(size_t size)
{
	/* The guard comes first: nothing may fail once there is a secret. */
	SecretGuard *guard = palloc(sizeof(SecretGuard));
	void	   *data = palloc0(size);

	arm(guard, data, size);
	return data;
}

void
jwtauth_secret_guard(void *data, size_t size)
{
	arm(palloc(sizeof(SecretGuard)), data, size);
}

void
jwtauth_secret_wipe(void *varlena)
{
	if (varlena != NULL)
		jwt_wipe(VARDATA(varlena), VARSIZE(varlena) - VARHDRSZ);
}
