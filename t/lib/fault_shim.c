/*
 * Preloaded into a server: lets a chosen libcrypto function fail at its n-th
 * call in a chosen process.  A file that JWT_AUTH_FAULT_FILE names, mapped by
 * every process, says which.  Built by t/510_faults.pl.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

struct order
{
	int32_t		pid;			/* of the process that is to see it fail */
	int32_t		countdown;		/* 1: the next call fails; 0: none does */
	int32_t		hits;			/* how often one did */
	char		name[52];		/* of the function */
};

static struct order *order;

static void __attribute__((constructor))
map_order(void)
{
	const char *path = getenv("JWT_AUTH_FAULT_FILE");
	int			fd = path != NULL ? open(path, O_RDWR) : -1;
	void	   *map = MAP_FAILED;

	if (fd >= 0)
	{
		map = mmap(NULL, sizeof(*order), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (map != MAP_FAILED)
		order = map;
}

static int
fails(const char *name)
{
	if (order == NULL || order->countdown <= 0 || order->pid != getpid() ||
		strcmp(order->name, name) != 0 || --order->countdown > 0)
		return 0;
	order->hits++;
	ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
	return 1;
}

/*
 * A server may have been built with another libcrypto than the extension, and
 * then both are there: each caller gets the function of its own.
 */
static int
is_ours(void *caller)
{
	Dl_info		info;
	const char *file;

	if (dladdr(caller, &info) == 0)
		return 0;
	file = strrchr(info.dli_fname, '/');
	return file != NULL && strcmp(file, "/jwt_auth.so") == 0;
}

#define STRING(text) #text
#define SONAME(version) "libcrypto.so." STRING(version)

static void *
real_function(const char *name, int ours)
{
	return dlsym(ours ? dlopen(SONAME(OPENSSL_SHLIB_VERSION), RTLD_LAZY | RTLD_NOLOAD) : RTLD_NEXT, name);
}

#define SHIM(type, name, parameters, arguments) \
	type \
	name parameters \
	{ \
		static type (*real[2]) parameters; \
		int			ours = is_ours(__builtin_return_address(0)); \
\
		if (real[ours] == NULL) \
			*(void **) &real[ours] = real_function(#name, ours); \
		return ours && fails(#name) ? 0 : real[ours] arguments; \
	}

SHIM(int, RAND_priv_bytes, (unsigned char *buf, int len), (buf, len))
SHIM(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX *ctx, const char *name, const char *props), (ctx, name, props))
SHIM(EVP_MAC *, EVP_MAC_fetch, (OSSL_LIB_CTX *ctx, const char *name, const char *props), (ctx, name, props))
SHIM(int, EVP_MAC_init, (EVP_MAC_CTX *ctx, const unsigned char *key, size_t len, const OSSL_PARAM params[]), (ctx, key, len, params))
SHIM(int, EVP_MAC_final, (EVP_MAC_CTX *ctx, unsigned char *out, size_t *len, size_t size), (ctx, out, len, size))
SHIM(int, EVP_DigestFinal_ex, (EVP_MD_CTX *ctx, unsigned char *hash, unsigned *len), (ctx, hash, len))
SHIM(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())
SHIM(int, EVP_PKEY_sign, (EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *len, const unsigned char *hash, size_t hashlen), (ctx, sig, len, hash, hashlen))
SHIM(int, EVP_PKEY_verify, (EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t len, const unsigned char *hash, size_t hashlen), (ctx, sig, len, hash, hashlen))
SHIM(int, EVP_DigestSign, (EVP_MD_CTX *ctx, unsigned char *sig, size_t *len, const unsigned char *text, size_t textlen), (ctx, sig, len, text, textlen))
SHIM(int, EVP_DigestVerify, (EVP_MD_CTX *ctx, const unsigned char *sig, size_t len, const unsigned char *text, size_t textlen), (ctx, sig, len, text, textlen))
SHIM(int, EVP_PKEY_fromdata, (EVP_PKEY_CTX *ctx, EVP_PKEY **key, int selection, OSSL_PARAM params[]), (ctx, key, selection, params))
SHIM(int, EVP_PKEY_get_bn_param, (const EVP_PKEY *key, const char *name, BIGNUM **bn), (key, name, bn))
SHIM(int, EVP_CipherFinal_ex, (EVP_CIPHER_CTX *ctx, unsigned char *out, int *len), (ctx, out, len))
SHIM(int, OSSL_ENCODER_to_data, (OSSL_ENCODER_CTX *ctx, unsigned char **data, size_t *len), (ctx, data, len))
SHIM(int, EVP_Q_digest, (OSSL_LIB_CTX *ctx, const char *name, const char *props, const void *data, size_t len, unsigned char *hash, size_t *hashlen), (ctx, name, props, data, len, hash, hashlen))
SHIM(unsigned char *, EVP_Q_mac, (OSSL_LIB_CTX *ctx, const char *name, const char *props, const char *digest, const OSSL_PARAM *params, const void *key, size_t keylen, const unsigned char *data, size_t len, unsigned char *out, size_t size, size_t *outlen), (ctx, name, props, digest, params, key, keylen, data, len, out, size, outlen))
SHIM(void *, CRYPTO_zalloc, (size_t size, const char *file, int line), (size, file, line))
