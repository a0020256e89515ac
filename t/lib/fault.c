/*
 * Lets functions fail that jwt_auth.so calls: the n-th call of one of them, in
 * the backend that asks for it.  Built and loaded by t/510_faults.pl, with
 * functions.h, which lists what the library imports.
 *
 * The library's own table of addresses is changed, so that its calls are met
 * and nobody else's, the server's TLS say; and each is passed on to where it
 * went, which is the libcrypto that the library was linked with, even if the
 * server has another one.
 */
#define _GNU_SOURCE
#include "postgres.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/err.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

PG_MODULE_MAGIC;

#if defined(__x86_64__)
#define IS_SLOT(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT)
#elif defined(__aarch64__)
#define IS_SLOT(type) ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT)
#else
#error "other machines pass arguments in ways that are not known here"
#endif

enum
{
#define CRYPTO_CALL(name) INDEX_##name,
#define SERVER_CALL(name) INDEX_##name,
#include "functions.h"
#undef CRYPTO_CALL
#undef SERVER_CALL
	NUM_FUNCTIONS
};

static const char *const names[NUM_FUNCTIONS] = {
#define CRYPTO_CALL(name) #name,
#define SERVER_CALL(name) #name,
#include "functions.h"
#undef CRYPTO_CALL
#undef SERVER_CALL
};

/*
 * As many words as any function takes.  On both machines the first are in
 * registers and the others on the stack, where there is always something to
 * be read.
 */
typedef uintptr_t Word;
typedef Word (*Function) (Word a, Word b, Word c, Word d, Word e, Word f,
						  Word g, Word h, Word i, Word j, Word k, Word l);

static Function real[NUM_FUNCTIONS];
static int	calls[NUM_FUNCTIONS];
static int	armed = -1;
static int	countdown;
static bool hit;

/* c is the third argument: a look-up in a hash table wants no memory. */
static bool
fails(int function, Word c)
{
	if (strcmp(names[function], "hash_search") == 0 &&
		c != HASH_ENTER && c != HASH_ENTER_NULL)
		return false;
	calls[function]++;
	if (function != armed || --countdown > 0)
		return false;
	armed = -1;
	hit = true;
	return true;
}

static Word
crypto_failure(int function, Word c)
{
	ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
	return 0;
}

/* An error, but for who asked to be given NULL instead. */
static Word
server_failure(int function, Word c)
{
	if (strcmp(names[function], "hash_search") == 0 && c == HASH_ENTER_NULL)
		return 0;
	if (strcmp(names[function], "MemoryContextAllocExtended") == 0 &&
		(c & MCXT_ALLOC_NO_OOM) != 0)
		return 0;
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return 0;
}

#define STUB(name, failure) \
static Word \
stub_##name(Word a, Word b, Word c, Word d, Word e, Word f, \
			Word g, Word h, Word i, Word j, Word k, Word l) \
{ \
	if (fails(INDEX_##name, c)) \
		return failure(INDEX_##name, c); \
	return real[INDEX_##name] (a, b, c, d, e, f, g, h, i, j, k, l); \
}
#define CRYPTO_CALL(name) STUB(name, crypto_failure)
#define SERVER_CALL(name) STUB(name, server_failure)
#include "functions.h"
#undef CRYPTO_CALL
#undef SERVER_CALL

static const Function stubs[NUM_FUNCTIONS] = {
#define CRYPTO_CALL(name) stub_##name,
#define SERVER_CALL(name) stub_##name,
#include "functions.h"
#undef CRYPTO_CALL
#undef SERVER_CALL
};

static void
redirect(Function *slot, int function)
{
	uintptr_t	page = sysconf(_SC_PAGESIZE);
	uintptr_t	start = (uintptr_t) slot & ~(page - 1);

	/* Read-only once the loader has done its work. */
	if (mprotect((void *) start, page, PROT_READ | PROT_WRITE) != 0)
		elog(ERROR, "mprotect: %m");
	real[function] = *slot;
	*slot = stubs[function];
}

static void
redirect_table(const struct dl_phdr_info *info, const ElfW(Rela) *rela,
			   size_t size, const ElfW(Sym) *symbols, const char *strings)
{
	for (size_t i = 0; i < size / sizeof(*rela); i++)
	{
		const char *name = strings + symbols[ELF64_R_SYM(rela[i].r_info)].st_name;

		if (!IS_SLOT(ELF64_R_TYPE(rela[i].r_info)))
			continue;
		for (int f = 0; f < NUM_FUNCTIONS; f++)
		{
			if (strcmp(name, names[f]) == 0)
				redirect((Function *) (info->dlpi_addr + rela[i].r_offset), f);
		}
	}
}

static int
look_at(struct dl_phdr_info *info, size_t size, void *found)
{
	const char *file = strrchr(info->dlpi_name, '/');
	const ElfW(Dyn) *dynamic = NULL;
	ElfW(Addr) value[DT_NUM] = {0};

	if (file == NULL || strcmp(file, "/jwt_auth.so") != 0)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
	{
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (void *) (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	}
	for (; dynamic->d_tag != DT_NULL; dynamic++)
	{
		if (dynamic->d_tag > 0 && dynamic->d_tag < DT_NUM)
			value[dynamic->d_tag] = dynamic->d_un.d_val;
	}
	redirect_table(info, (void *) value[DT_JMPREL], value[DT_PLTRELSZ],
				   (void *) value[DT_SYMTAB], (void *) value[DT_STRTAB]);
	redirect_table(info, (void *) value[DT_RELA], value[DT_RELASZ],
				   (void *) value[DT_SYMTAB], (void *) value[DT_STRTAB]);
	*(bool *) found = true;
	return 1;
}

void
_PG_init(void)
{
	bool		found = false;

	dl_iterate_phdr(look_at, &found);
	if (!found)
		elog(ERROR, "jwt_auth is not loaded");
}

PG_FUNCTION_INFO_V1(fault_arm);

/* fault_arm(name text, n int): its n-th call from now on fails; '': none */
Datum
fault_arm(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			found = -1;

	for (int f = 0; f < NUM_FUNCTIONS; f++)
	{
		if (strcmp(name, names[f]) == 0)
			found = f;
	}
	memset(calls, 0, sizeof(calls));
	hit = false;
	countdown = PG_GETARG_INT32(1);
	armed = found;
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(fault_hit);

/* fault_hit() -> boolean: did it fail?  Nothing does any more. */
Datum
fault_hit(PG_FUNCTION_ARGS)
{
	armed = -1;
	PG_RETURN_BOOL(hit);
}

PG_FUNCTION_INFO_V1(fault_calls);

/* fault_calls(name text) -> int: since the last fault_arm */
Datum
fault_calls(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	for (int f = 0; f < NUM_FUNCTIONS; f++)
	{
		if (strcmp(name, names[f]) == 0)
			PG_RETURN_INT32(calls[f]);
	}
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(fault_malloced);

/* fault_malloced() -> bigint: bytes that this process has got from malloc() */
Datum
fault_malloced(PG_FUNCTION_ARGS)
{
	struct mallinfo2 info = mallinfo2();

	PG_RETURN_INT64((int64) (info.uordblks + info.hblkhd));
}
