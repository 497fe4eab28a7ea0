#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hmac.h"
#include "crypto/start.h"
#include "registry/date.h"
#include "registry/registry.h"
#include "registry/snapshot.h"

#define BOTH_WIRES (REGISTRY_WIRE_BIT(1) | REGISTRY_WIRE_BIT(2))
#define NOW INT64_C(1800000000)
#define TODAY ((int32_t)(NOW / REGISTRY_SECONDS_PER_DAY))
#define NO_MATCH REGISTRY_CANDIDATES

static const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE] = "a boot secret of thirty-two byte";
static const uint8_t other_boot_secret[REGISTRY_BOOT_SECRET_SIZE] = "the secret after another start..";

/* Each id stands for one kind of device. */
static const uint8_t listed[REGISTRY_ID_SIZE] = {1, 1, 1, 1, 1, 1};
static const uint8_t rotating[REGISTRY_ID_SIZE] = {2, 2, 2, 2, 2, 2};
static const uint8_t expired[REGISTRY_ID_SIZE] = {3, 3, 3, 3, 3, 3};
static const uint8_t revoked[REGISTRY_ID_SIZE] = {4, 4, 4, 4, 4, 4};
static const uint8_t without_key[REGISTRY_ID_SIZE] = {5, 5, 5, 5, 5, 5};
static const uint8_t wire_1_only[REGISTRY_ID_SIZE] = {6, 6, 6, 6, 6, 6};
static const uint8_t revoked_with_key[REGISTRY_ID_SIZE] = {7, 7, 7, 7, 7, 7};
static const uint8_t unlisted[REGISTRY_ID_SIZE] = {8, 8, 8, 8, 8, 8};

static const char listed_psk[] = "the psk of the listed device";
static const char new_psk[] = "rotation: the new psk";
static const char middle_psk[] = "rotation: the psk in between";
static const char old_psk[] = "rotation: the old psk";
static const char expired_psk[] = "the psk that has expired";
static const char wire_1_psk[] = "the psk of the wire 1 device";
static const char revoked_psk[] = "the psk of the revoked device";
static const char default_psk[] = "the psk of everybody else";
static const char master[] = "the master secret of this fleet.";
static const char previous_master[] = "the master secret before that...";

static size_t hmacs;
static size_t key_inits;

void __real_crypto_hmac(const struct crypto_hmac_key *key, const struct crypto_part *parts, size_t count,
                        uint8_t out[CRYPTO_HMAC_SIZE]);
void __wrap_crypto_hmac(const struct crypto_hmac_key *key, const struct crypto_part *parts, size_t count,
                        uint8_t out[CRYPTO_HMAC_SIZE]);
void __real_crypto_hmac_key_init(struct crypto_hmac_key *key, const void *bytes, size_t size);
void __wrap_crypto_hmac_key_init(struct crypto_hmac_key *key, const void *bytes, size_t size);

void __wrap_crypto_hmac(const struct crypto_hmac_key *key, const struct crypto_part *parts, size_t count,
                        uint8_t out[CRYPTO_HMAC_SIZE])
{
    hmacs++;
    __real_crypto_hmac(key, parts, count, out);
}

void __wrap_crypto_hmac_key_init(struct crypto_hmac_key *key, const void *bytes, size_t size)
{
    key_inits++;
    __real_crypto_hmac_key_init(key, bytes, size);
}

static struct registry_device *add_device(struct registry *registry, const uint8_t id[REGISTRY_ID_SIZE])
{
    struct registry_device *device = registry_device_table_add(&registry->devices, id);
    device->first_key = registry->keys.count;
    return device;
}

static void add_key(struct registry *registry, struct registry_device *device, const char *psk, int32_t until)
{
    assert_true(registry_keys_add(&registry->keys, (const uint8_t *)psk, strlen(psk), until));
    device->key_count = (device->key_count + 1) & 7;
}

static struct registry *make_registry(const uint8_t secret[REGISTRY_BOOT_SECRET_SIZE])
{
    struct registry *registry = registry_create(8, 16, secret, BOTH_WIRES);
    assert_non_null(registry);
    add_key(registry, add_device(registry, listed), listed_psk, REGISTRY_NO_EXPIRY);
    struct registry_device *device = add_device(registry, rotating);
    add_key(registry, device, new_psk, REGISTRY_NO_EXPIRY);
    add_key(registry, device, middle_psk, TODAY + 10);
    add_key(registry, device, old_psk, TODAY);
    add_key(registry, add_device(registry, expired), expired_psk, TODAY - 1);
    add_device(registry, revoked)->revoked = 1;
    device = add_device(registry, without_key);
    device->session_timeout = 900000000;
    device->max_downlink = 255;
    device->v1_downlink = REGISTRY_V1_DOWNLINK_ON;
    device->cipher = REGISTRY_CIPHER_CHACHA20_POLY1305;
    device = add_device(registry, wire_1_only);
    device->wires = REGISTRY_WIRE_BIT(1);
    add_key(registry, device, wire_1_psk, REGISTRY_NO_EXPIRY);
    device = add_device(registry, revoked_with_key);
    device->revoked = 1;
    add_key(registry, device, revoked_psk, REGISTRY_NO_EXPIRY);
    return registry;
}

static void set_default(struct registry *registry)
{
    crypto_hmac_key_init(&registry->secrets->default_psk, default_psk, strlen(default_psk));
    registry->has_default = true;
}

static void set_masters(struct registry *registry)
{
    crypto_hmac_key_init(&registry->secrets->masters[REGISTRY_MASTER_CURRENT], master, strlen(master));
    crypto_hmac_key_init(&registry->secrets->masters[REGISTRY_MASTER_PREVIOUS], previous_master,
                         strlen(previous_master));
    registry->has_master[REGISTRY_MASTER_CURRENT] = true;
    registry->has_master[REGISTRY_MASTER_PREVIOUS] = true;
}

static void derive(const char *secret, const uint8_t id[REGISTRY_ID_SIZE], uint8_t psk[CRYPTO_HMAC_SIZE])
{
    struct crypto_hmac_key key;
    __real_crypto_hmac_key_init(&key, secret, strlen(secret));
    __real_crypto_hmac(&key, &(struct crypto_part){.bytes = id, .size = REGISTRY_ID_SIZE}, 1, psk);
}

/* Which candidate a device with this PSK would match. */
static size_t find_key(const struct registry_match *match, const void *psk, size_t size)
{
    struct crypto_hmac_key key;
    __real_crypto_hmac_key_init(&key, psk, size);
    size_t found = NO_MATCH;
    for (size_t i = 0; i < REGISTRY_CANDIDATES; i++) {
        if (memcmp(&match->keys[i], &key, sizeof(key)) == 0) {
            assert_int_equal(found, NO_MATCH);
            found = i;
        }
    }
    return found;
}

static enum registry_verdict try_key(const struct registry *registry, const uint8_t id[REGISTRY_ID_SIZE], unsigned wire,
                                     int64_t now, const void *psk, size_t size)
{
    struct registry_match match;
    registry_lookup(registry, id, wire, now, &match);
    enum registry_verdict verdict = registry_match_result(&match, find_key(&match, psk, size));
    registry_match_wipe(&match);
    return verdict;
}

static enum registry_verdict try_text(const struct registry *registry, const uint8_t id[REGISTRY_ID_SIZE],
                                      unsigned wire, int64_t now, const char *psk)
{
    return try_key(registry, id, wire, now, psk, strlen(psk));
}

static enum registry_verdict try_derived(const struct registry *registry, const uint8_t id[REGISTRY_ID_SIZE],
                                         const char *secret)
{
    uint8_t psk[CRYPTO_HMAC_SIZE];
    derive(secret, id, psk);
    return try_key(registry, id, 2, NOW, psk, sizeof(psk));
}

static void test_listed_device_has_its_key(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    assert_int_equal(try_text(registry, listed, 1, NOW, listed_psk), REGISTRY_ACCEPTED);
    assert_int_equal(try_text(registry, listed, 2, NOW, listed_psk), REGISTRY_ACCEPTED);
    assert_int_equal(try_text(registry, listed, 2, NOW, new_psk), REGISTRY_WRONG_KEY);
    registry_release(registry);
}

static void test_rotation_accepts_what_has_not_expired(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    assert_int_equal(try_text(registry, rotating, 2, NOW, new_psk), REGISTRY_ACCEPTED);
    assert_int_equal(try_text(registry, rotating, 2, NOW, middle_psk), REGISTRY_ACCEPTED);
    assert_int_equal(try_text(registry, rotating, 2, NOW, old_psk), REGISTRY_EXPIRED);
    registry_release(registry);
}

static void test_key_expires_with_the_first_second_of_its_day(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    int64_t midnight = (int64_t)(TODAY + 10) * REGISTRY_SECONDS_PER_DAY;
    assert_int_equal(try_text(registry, rotating, 2, midnight - 1, middle_psk), REGISTRY_ACCEPTED);
    assert_int_equal(try_text(registry, rotating, 2, midnight, middle_psk), REGISTRY_EXPIRED);
    assert_int_equal(try_text(registry, rotating, 2, INT64_MAX, new_psk), REGISTRY_ACCEPTED);
    assert_int_equal(try_text(registry, rotating, 2, 0, old_psk), REGISTRY_ACCEPTED);
    registry_release(registry);
}

static void assert_verdicts_without_fallback(const struct registry *registry)
{
    static const uint8_t *const ids[] = {listed, rotating, expired, revoked, wire_1_only, revoked_with_key};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_int_not_equal(try_text(registry, ids[i], 1, NOW, default_psk), REGISTRY_ACCEPTED);
        assert_int_not_equal(try_derived(registry, ids[i], master), REGISTRY_ACCEPTED);
        assert_int_not_equal(try_derived(registry, ids[i], previous_master), REGISTRY_ACCEPTED);
        struct registry_match match;
        registry_lookup(registry, ids[i], 1, NOW, &match);
        assert_false(match.uses_default);
        registry_match_wipe(&match);
    }
}

static void test_entry_with_keys_or_revoked_never_falls_through(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    set_default(registry);
    assert_verdicts_without_fallback(registry);
    registry_release(registry);
    registry = make_registry(boot_secret);
    set_masters(registry);
    assert_verdicts_without_fallback(registry);
    registry_release(registry);
}

static void test_default_serves_who_has_no_key(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    set_default(registry);
    static const uint8_t *const ids[] = {without_key, unlisted};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(try_text(registry, ids[i], 2, NOW, default_psk), REGISTRY_ACCEPTED);
        assert_int_equal(try_text(registry, ids[i], 2, NOW, listed_psk), REGISTRY_WRONG_KEY);
        struct registry_match match;
        registry_lookup(registry, ids[i], 2, NOW, &match);
        assert_true(match.uses_default);
        registry_match_wipe(&match);
    }
    registry_release(registry);
}

static void test_master_secrets_serve_who_has_no_key(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    set_masters(registry);
    static const uint8_t *const ids[] = {without_key, unlisted};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(try_derived(registry, ids[i], master), REGISTRY_ACCEPTED);
        assert_int_equal(try_derived(registry, ids[i], previous_master), REGISTRY_ACCEPTED);
        assert_int_equal(try_derived(registry, ids[i], "another secret"), REGISTRY_WRONG_KEY);
    }
    uint8_t psk_of_another[CRYPTO_HMAC_SIZE];
    derive(master, unlisted, psk_of_another);
    assert_int_equal(try_key(registry, without_key, 2, NOW, psk_of_another, sizeof(psk_of_another)),
                     REGISTRY_WRONG_KEY);
    registry_release(registry);
}

/* printf 'de:ad:be:ef:00:01' as raw bytes through `openssl dgst -sha256 -hmac`, with this secret. */
static void test_master_secret_derives_as_the_interface_says(void **state)
{
    (void)state;
    static const uint8_t id[REGISTRY_ID_SIZE] = {0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x01};
    static const uint8_t psk[CRYPTO_HMAC_SIZE] = {0xBF, 0x4D, 0xC1, 0x43, 0x4E, 0x9D, 0xA0, 0x8A, 0xB2, 0xD3, 0xCD,
                                                  0x46, 0x7C, 0xFA, 0x32, 0x32, 0x81, 0x85, 0x3B, 0x9F, 0x4E, 0xC9,
                                                  0x92, 0x85, 0x8A, 0x36, 0x34, 0x68, 0x96, 0x03, 0x98, 0x8B};
    struct registry *registry = make_registry(boot_secret);
    set_masters(registry);
    assert_int_equal(try_key(registry, id, 2, NOW, psk, sizeof(psk)), REGISTRY_ACCEPTED);
    registry_release(registry);
}

static void test_without_any_key_a_device_is_unknown(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    assert_int_equal(try_text(registry, unlisted, 2, NOW, default_psk), REGISTRY_UNKNOWN);
    assert_int_equal(try_text(registry, without_key, 2, NOW, default_psk), REGISTRY_UNKNOWN);
    registry_release(registry);
}

static void test_previous_master_secret_alone_serves_too(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    set_masters(registry);
    registry->has_master[REGISTRY_MASTER_CURRENT] = false;
    assert_int_equal(try_derived(registry, unlisted, previous_master), REGISTRY_ACCEPTED);
    assert_int_equal(try_derived(registry, unlisted, master), REGISTRY_WRONG_KEY);
    registry_release(registry);
}

static void test_reasons_of_refusal(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    assert_int_equal(try_text(registry, revoked, 2, NOW, listed_psk), REGISTRY_REVOKED);
    assert_int_equal(try_text(registry, revoked_with_key, 2, NOW, revoked_psk), REGISTRY_REVOKED);
    assert_int_equal(try_text(registry, expired, 2, NOW, expired_psk), REGISTRY_EXPIRED);
    assert_int_equal(try_text(registry, wire_1_only, 1, NOW, wire_1_psk), REGISTRY_ACCEPTED);
    assert_int_equal(try_text(registry, wire_1_only, 2, NOW, wire_1_psk), REGISTRY_WRONG_WIRE);
    registry_release(registry);
}

static void test_wires_of_the_configuration_hold_where_the_entry_is_silent(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    registry->wires = REGISTRY_WIRE_BIT(2);
    assert_int_equal(try_text(registry, listed, 1, NOW, listed_psk), REGISTRY_WRONG_WIRE);
    assert_int_equal(try_text(registry, listed, 2, NOW, listed_psk), REGISTRY_ACCEPTED);
    assert_int_equal(try_text(registry, wire_1_only, 1, NOW, wire_1_psk), REGISTRY_ACCEPTED);
    registry_release(registry);
}

static void test_settings_of_an_entry_and_of_none(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    struct registry_match match;
    registry_lookup(registry, without_key, 2, NOW, &match);
    assert_int_equal(match.settings.session_timeout, 900000000);
    assert_int_equal(match.settings.max_downlink, 255);
    assert_int_equal(match.settings.wires, BOTH_WIRES);
    assert_int_equal(match.settings.v1_downlink, REGISTRY_V1_DOWNLINK_ON);
    assert_int_equal(match.settings.cipher, REGISTRY_CIPHER_CHACHA20_POLY1305);
    registry_lookup(registry, unlisted, 2, NOW, &match);
    assert_true(match.settings.session_timeout == REGISTRY_SESSION_TIMEOUT_GLOBAL);
    assert_int_equal(match.settings.max_downlink, 1808);
    assert_int_equal(match.settings.wires, BOTH_WIRES);
    assert_int_equal(match.settings.v1_downlink, REGISTRY_V1_DOWNLINK_GLOBAL);
    assert_int_equal(match.settings.cipher, REGISTRY_CIPHER_AUTO);
    struct registry_settings settings = registry_settings_of(registry, without_key);
    assert_int_equal(settings.max_downlink, 255);
    settings = registry_settings_of(registry, unlisted);
    assert_int_equal(settings.max_downlink, 1808);
    registry_release(registry);
}

static void count_work(const struct registry *registry, const uint8_t id[REGISTRY_ID_SIZE], unsigned wire,
                       size_t *hmac_count, size_t *key_init_count)
{
    struct registry_match match;
    hmacs = 0;
    key_inits = 0;
    registry_lookup(registry, id, wire, NOW, &match);
    *hmac_count = hmacs;
    *key_init_count = key_inits;
    registry_match_wipe(&match);
}

/* Whoever is asked for: unknown, revoked, expired, of the wrong wire, or with a key of its own. */
static void test_work_is_the_same_for_every_kind_of_device(void **state)
{
    (void)state;
    static const uint8_t *const ids[] = {listed,      rotating,    expired,          revoked,
                                         without_key, wire_1_only, revoked_with_key, unlisted};
    for (int kind = 0; kind < 3; kind++) {
        struct registry *registry = make_registry(boot_secret);
        if (kind == 1) {
            set_default(registry);
        } else if (kind == 2) {
            set_masters(registry);
        }
        size_t expected_hmacs;
        size_t expected_key_inits;
        count_work(registry, unlisted, 2, &expected_hmacs, &expected_key_inits);
        assert_true(expected_hmacs > 0);
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
            for (unsigned wire = 1; wire <= 2; wire++) {
                size_t hmac_count;
                size_t key_init_count;
                count_work(registry, ids[i], wire, &hmac_count, &key_init_count);
                assert_int_equal(hmac_count, expected_hmacs);
                assert_int_equal(key_init_count, expected_key_inits);
            }
        }
        registry_release(registry);
    }
}

static void test_free_places_hold_a_dummy_that_no_key_of_ours_is(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    struct registry *restarted = make_registry(other_boot_secret);
    static const struct registry_key zeros;
    struct registry_match match;
    struct registry_match after_restart;
    struct registry_match of_another;
    registry_lookup(registry, unlisted, 2, NOW, &match);
    registry_lookup(restarted, unlisted, 2, NOW, &after_restart);
    registry_lookup(registry, revoked, 2, NOW, &of_another);
    for (size_t i = 0; i < REGISTRY_CANDIDATES; i++) {
        assert_false(match.accepted_if_matched[i]);
        assert_memory_not_equal(&match.keys[i], &zeros, sizeof(zeros));
        assert_memory_not_equal(&match.keys[i], &after_restart.keys[i], sizeof(zeros));
        assert_memory_not_equal(&match.keys[i], &of_another.keys[i], sizeof(zeros));
    }
    registry_release(registry);
    registry_release(restarted);
}

static void get_tag(const struct registry *registry, const void *psk, size_t size, uint8_t tag[REGISTRY_KEY_TAG_SIZE])
{
    struct crypto_hmac_key made;
    struct registry_key key;
    __real_crypto_hmac_key_init(&made, psk, size);
    memcpy(&key, &made, sizeof(key));
    registry_key_tag(registry, &key, tag);
}

static enum registry_verdict still_accepted(const struct registry *before, const struct registry *after,
                                            const uint8_t id[REGISTRY_ID_SIZE], const char *psk, int64_t now)
{
    uint8_t tag[REGISTRY_KEY_TAG_SIZE];
    get_tag(before, psk, strlen(psk), tag);
    return registry_key_still_accepted(after, id, tag, now);
}

static void test_keys_of_live_sessions_after_a_reload(void **state)
{
    (void)state;
    struct registry *before = make_registry(boot_secret);
    struct registry *after = make_registry(boot_secret);
    assert_int_equal(still_accepted(before, after, listed, listed_psk, NOW), REGISTRY_ACCEPTED);
    assert_int_equal(still_accepted(before, after, listed, new_psk, NOW), REGISTRY_WRONG_KEY);
    assert_int_equal(still_accepted(before, after, rotating, new_psk, NOW), REGISTRY_ACCEPTED);
    assert_int_equal(still_accepted(before, after, rotating, middle_psk, NOW), REGISTRY_ACCEPTED);
    assert_int_equal(still_accepted(before, after, rotating, old_psk, NOW), REGISTRY_EXPIRED);
    assert_int_equal(still_accepted(before, after, rotating, old_psk, NOW - REGISTRY_SECONDS_PER_DAY),
                     REGISTRY_ACCEPTED);
    assert_int_equal(still_accepted(before, after, expired, expired_psk, NOW), REGISTRY_EXPIRED);
    assert_int_equal(still_accepted(before, after, revoked_with_key, revoked_psk, NOW), REGISTRY_REVOKED);
    assert_int_equal(still_accepted(before, after, unlisted, listed_psk, NOW), REGISTRY_UNKNOWN);
    /* A wire that is no longer wanted concerns new sessions only. */
    after->wires = REGISTRY_WIRE_BIT(2);
    assert_int_equal(still_accepted(before, after, wire_1_only, wire_1_psk, NOW), REGISTRY_ACCEPTED);
    registry_release(before);
    registry_release(after);
}

static void test_default_and_master_secret_come_and_go(void **state)
{
    (void)state;
    struct registry *plain = make_registry(boot_secret);
    struct registry *with_default = make_registry(boot_secret);
    struct registry *with_masters = make_registry(boot_secret);
    set_default(with_default);
    set_masters(with_masters);
    assert_int_equal(still_accepted(with_default, with_default, unlisted, default_psk, NOW), REGISTRY_ACCEPTED);
    assert_int_equal(still_accepted(with_default, plain, unlisted, default_psk, NOW), REGISTRY_UNKNOWN);
    assert_int_equal(still_accepted(with_default, with_masters, unlisted, default_psk, NOW), REGISTRY_WRONG_KEY);
    uint8_t psk[CRYPTO_HMAC_SIZE];
    uint8_t tag[REGISTRY_KEY_TAG_SIZE];
    derive(previous_master, unlisted, psk);
    get_tag(with_masters, psk, sizeof(psk), tag);
    assert_int_equal(registry_key_still_accepted(with_masters, unlisted, tag, NOW), REGISTRY_ACCEPTED);
    with_masters->has_master[REGISTRY_MASTER_PREVIOUS] = false;
    assert_int_equal(registry_key_still_accepted(with_masters, unlisted, tag, NOW), REGISTRY_WRONG_KEY);
    registry_release(plain);
    registry_release(with_default);
    registry_release(with_masters);
}

/* A key twice in an entry, once with an end: it is accepted as long as one of them is. */
static void test_key_given_twice_lives_as_long_as_the_longer_one(void **state)
{
    (void)state;
    struct registry *registry = registry_create(1, 2, boot_secret, BOTH_WIRES);
    assert_non_null(registry);
    struct registry_device *device = add_device(registry, listed);
    add_key(registry, device, listed_psk, TODAY);
    add_key(registry, device, listed_psk, REGISTRY_NO_EXPIRY);
    assert_int_equal(still_accepted(registry, registry, listed, listed_psk, NOW), REGISTRY_ACCEPTED);
    registry_release(registry);
}

static void test_tags_tell_keys_apart_and_starts(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    struct registry *restarted = make_registry(other_boot_secret);
    uint8_t tag[REGISTRY_KEY_TAG_SIZE];
    uint8_t other[REGISTRY_KEY_TAG_SIZE];
    get_tag(registry, listed_psk, strlen(listed_psk), tag);
    get_tag(registry, new_psk, strlen(new_psk), other);
    assert_memory_not_equal(tag, other, sizeof(tag));
    get_tag(restarted, listed_psk, strlen(listed_psk), other);
    assert_memory_not_equal(tag, other, sizeof(tag));
    registry_release(registry);
    registry_release(restarted);
}

static void test_next_expiry_is_the_nearest_one_ahead(void **state)
{
    (void)state;
    struct registry *registry = make_registry(boot_secret);
    int64_t day = REGISTRY_SECONDS_PER_DAY;
    assert_int_equal(registry_next_expiry(registry, 0), (TODAY - 1) * day);
    assert_int_equal(registry_next_expiry(registry, (TODAY - 1) * day), TODAY * day);
    assert_int_equal(registry_next_expiry(registry, NOW), (TODAY + 10) * day);
    assert_int_equal(registry_next_expiry(registry, (TODAY + 10) * day - 1), (TODAY + 10) * day);
    assert_true(registry_next_expiry(registry, (TODAY + 10) * day) == INT64_MAX);
    registry_release(registry);
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listed_device_has_its_key),
        cmocka_unit_test(test_rotation_accepts_what_has_not_expired),
        cmocka_unit_test(test_key_expires_with_the_first_second_of_its_day),
        cmocka_unit_test(test_entry_with_keys_or_revoked_never_falls_through),
        cmocka_unit_test(test_default_serves_who_has_no_key),
        cmocka_unit_test(test_master_secrets_serve_who_has_no_key),
        cmocka_unit_test(test_master_secret_derives_as_the_interface_says),
        cmocka_unit_test(test_without_any_key_a_device_is_unknown),
        cmocka_unit_test(test_previous_master_secret_alone_serves_too),
        cmocka_unit_test(test_reasons_of_refusal),
        cmocka_unit_test(test_wires_of_the_configuration_hold_where_the_entry_is_silent),
        cmocka_unit_test(test_settings_of_an_entry_and_of_none),
        cmocka_unit_test(test_work_is_the_same_for_every_kind_of_device),
        cmocka_unit_test(test_free_places_hold_a_dummy_that_no_key_of_ours_is),
        cmocka_unit_test(test_keys_of_live_sessions_after_a_reload),
        cmocka_unit_test(test_default_and_master_secret_come_and_go),
        cmocka_unit_test(test_key_given_twice_lives_as_long_as_the_longer_one),
        cmocka_unit_test(test_tags_tell_keys_apart_and_starts),
        cmocka_unit_test(test_next_expiry_is_the_nearest_one_ahead),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
