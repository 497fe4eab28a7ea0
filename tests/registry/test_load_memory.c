#define _GNU_SOURCE

/* registry_load and memory: what happens where it is short, what is left of keys, how much many devices take. */
#include <malloc.h>
#include <sys/mman.h>

#include "crypto/start.h"
#include "platform/secret_memory.h"
#include "registry/loading.h"

#define MANY 100000u
#define LINE_SIZE 128u
#define NOW INT64_C(1800000000)

/* A text that no library has in its memory by chance, once as text and once in hex. */
#define SECRET "q7Wn-sEcReT-zK3v-0123x"
#define SECRET_HEX "714a576e2d734563526554aa7a4b33762d303132337800ff"
static const uint8_t secret_bytes[] = {0x71, 0x4A, 0x57, 0x6E, 0x2D, 0x73, 0x45, 0x63, 0x52, 0x65, 0x54, 0xAA,
                                       0x7A, 0x4B, 0x33, 0x76, 0x2D, 0x30, 0x31, 0x32, 0x33, 0x78, 0x00, 0xFF};

static const char registry_text[] = "devices:\n"
                                    "  deadbeef0001: { psk: " SECRET " }\n"
                                    "  deadbeef0002: { psk_hex: " SECRET_HEX ", max_downlink: 255 }\n"
                                    "  deadbeef0003:\n"
                                    "    - { psk: " SECRET " }\n"
                                    "    - { psk_hex: " SECRET_HEX ", until: 2099-01-31 }\n"
                                    "  deadbeef0004: { revoked: true, note: broken }\n"
                                    "default: { psk: " SECRET " }\n";

static struct loading loading;

static long calls_until_failure = -1; /* -1: allocations succeed */
static bool one_has_failed;
static bool looking_for_secrets;
static size_t looked_at;
static size_t found;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
void __real_free(void *memory);
void __wrap_free(void *memory);
void *__real_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
int __real_munmap(void *memory, size_t size);
int __wrap_munmap(void *memory, size_t size);

static bool allocation_fails(void)
{
    if (calls_until_failure == 0) {
        one_has_failed = true;
        return true;
    }
    if (calls_until_failure > 0) {
        calls_until_failure--;
    }
    return false;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
    return allocation_fails() ? NULL : __real_strdup(text);
}

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind)
{
    return allocation_fails() ? NULL : __real_secret_memory_allocate(size, kind);
}

/* What is given back is looked through for the keys, in every form that they have had. */
static void look_through(const void *memory, size_t size)
{
    static struct crypto_hmac_key forms[2];
    crypto_hmac_key_init(&forms[0], SECRET, strlen(SECRET));
    crypto_hmac_key_init(&forms[1], secret_bytes, sizeof(secret_bytes));
    looked_at++;
    found += memmem(memory, size, SECRET, strlen(SECRET)) != NULL;
    found += memmem(memory, size, SECRET_HEX, strlen(SECRET_HEX)) != NULL;
    found += memmem(memory, size, secret_bytes, sizeof(secret_bytes)) != NULL;
    for (size_t i = 0; i < 2; i++) {
        found += memmem(memory, size, forms[i].inner, sizeof(forms[i].inner)) != NULL;
        found += memmem(memory, size, forms[i].outer, sizeof(forms[i].outer)) != NULL;
    }
}

void __wrap_free(void *memory)
{
    if (looking_for_secrets && memory != NULL) {
        look_through(memory, malloc_usable_size(memory));
    }
    __real_free(memory);
}

int __wrap_munmap(void *memory, size_t size)
{
    if (looking_for_secrets) {
        look_through(memory, size);
    }
    return __real_munmap(memory, size);
}

static size_t secret_bytes_in_use(void)
{
    return secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, registry_text);
    loading_add(&loading, "devices: { deadbeef0005: { psk_hex: " SECRET_HEX " } }");
    registry_release(loading_run(&loading));
    size_t before = secret_bytes_in_use();
    long failing = 0;
    do {
        struct diagnostics *diagnostics = diagnostics_open();
        assert_non_null(diagnostics);
        one_has_failed = false;
        calls_until_failure = failing;
        struct registry *registry = registry_load(&loading.config, reading_boot_secret, diagnostics);
        calls_until_failure = -1;
        /* Where only a message could not be kept, the registry is whole. */
        assert_int_equal(registry == NULL, diagnostics_errors(diagnostics) > 0);
        assert_true(registry != NULL || one_has_failed);
        assert_true(registry == NULL || registry_summarise(registry).devices == 5);
        registry_release(registry);
        diagnostics_close(diagnostics);
        assert_int_equal(secret_bytes_in_use(), before);
        failing++;
        assert_true(failing < 10000);
    } while (one_has_failed);
    assert_true(failing > 20);
    loading_close(&loading);
}

static void test_no_key_is_left_behind(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, registry_text);
    looked_at = 0;
    found = 0;
    looking_for_secrets = true;
    struct registry *registry = loading_run(&loading);
    registry_release(registry);
    looking_for_secrets = false;
    assert_non_null(registry);
    assert_true(looked_at > 10);
    assert_int_equal(found, 0);
    loading_close(&loading);
}

/* A test of the test above: it does see a key that is freed as it is. */
static void test_keys_left_behind_would_be_seen(void **state)
{
    (void)state;
    found = 0;
    looking_for_secrets = true;
    struct crypto_hmac_key *key = malloc(sizeof(*key));
    assert_non_null(key);
    crypto_hmac_key_init(key, SECRET, strlen(SECRET));
    free(key);
    char *text = calloc(1, 100);
    assert_non_null(text);
    strcpy(text + 50, SECRET);
    char *volatile seen = text; /* or the compiler takes the writing for useless */
    free(seen);
    looking_for_secrets = false;
    assert_int_equal(found, 3);
}

static void test_no_key_is_left_behind_by_a_refusal(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, registry_text);
    loading_add(&loading, "devices: { deadbeef0006: { psk: " SECRET ", psk_hex: " SECRET_HEX ", until: never } }");
    found = 0;
    looking_for_secrets = true;
    struct registry *registry = loading_run(&loading);
    looking_for_secrets = false;
    assert_null(registry);
    assert_int_equal(found, 0);
    loading_close(&loading);
}

static char *make_many(size_t *size)
{
    char *text = malloc(MANY * (size_t)LINE_SIZE);
    assert_non_null(text);
    size_t length = (size_t)sprintf(text, "devices:\n");
    for (uint32_t i = 0; i < MANY; i++) {
        length += (size_t)snprintf(text + length, LINE_SIZE, "  \"de:ad:be:%02x:%02x:%02x\": { psk_hex: %08x%s }\n",
                                   i >> 16 & 255, i >> 8 & 255, i & 255, i,
                                   "aa1647659a86b9f3ea40f6ff3af3c7b26a44918d06329a932b66ad26");
    }
    *size = length;
    return text;
}

static void test_100000_devices(void **state)
{
    (void)state;
    loading_open(&loading);
    size_t size;
    char *text = make_many(&size);
    loading_add_bytes(&loading, text, size);
    free(text);
    size_t secret_before = secret_bytes_in_use();
    struct registry *registry = loading_run(&loading);
    assert_non_null(registry);
    assert_int_equal(loading.said.errors, 0);
    struct registry_summary summary = registry_summarise(registry);
    size_t secret = secret_bytes_in_use() - secret_before;
    print_message("%zu devices: %.1f bytes each, %.1f of them secret memory\n", summary.devices,
                  (double)summary.memory / MANY, (double)secret / MANY);
    assert_int_equal(summary.devices, MANY);
    assert_in_range(summary.memory, MANY * 96, MANY * 110);
    assert_in_range(secret, MANY * 64, MANY * 70);
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t id[] = {0xDE, 0xAD, 0xBE, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        uint8_t psk[32] = {(uint8_t)(i >> 24),
                           (uint8_t)(i >> 16),
                           (uint8_t)(i >> 8),
                           (uint8_t)i,
                           0xAA,
                           0x16,
                           0x47,
                           0x65,
                           0x9A,
                           0x86,
                           0xB9,
                           0xF3,
                           0xEA,
                           0x40,
                           0xF6,
                           0xFF,
                           0x3A,
                           0xF3,
                           0xC7,
                           0xB2,
                           0x6A,
                           0x44,
                           0x91,
                           0x8D,
                           0x06,
                           0x32,
                           0x9A,
                           0x93,
                           0x2B,
                           0x66,
                           0xAD,
                           0x26};
        struct crypto_hmac_key expected;
        crypto_hmac_key_init(&expected, psk, sizeof(psk));
        struct registry_match match;
        registry_lookup(registry, id, 2, NOW, &match);
        assert_int_equal(match.verdict, REGISTRY_ACCEPTED);
        assert_memory_equal(&match.keys[0], &expected, sizeof(expected));
    }
    registry_release(registry);
    assert_int_equal(secret_bytes_in_use(), secret_before);
    loading_close(&loading);
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_no_key_is_left_behind),
        cmocka_unit_test(test_keys_left_behind_would_be_seen),
        cmocka_unit_test(test_no_key_is_left_behind_by_a_refusal),
        cmocka_unit_test(test_100000_devices),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
