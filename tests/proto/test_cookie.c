#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/cookie.h>

#include "crypto/start.h"
#include "platform/child.h"

#define SECOND UINT64_C(1000000)

static const uint8_t peer[16] = {192, 0, 2, 1};
static const uint8_t local[16] = {198, 51, 100, 7};
static const uint8_t device_id[USMP_DEVICE_ID_SIZE] = {1, 2, 3, 4, 5, 6};
static const uint8_t public_key[USMP_PUBLIC_KEY_SIZE] = {9, 8, 7};

static struct usmp_cookie_secret secret_of(uint8_t byte)
{
    uint8_t bytes[USMP_COOKIE_SECRET_SIZE];
    struct usmp_cookie_secret secret;
    memset(bytes, byte, sizeof bytes);
    usmp_cookie_secret_init(&secret, bytes);
    return secret;
}

static struct usmp_cookie_claim claim(void)
{
    return (struct usmp_cookie_claim){peer, 4, 40000, local, 4, USMP_WIRE_2, device_id, public_key};
}

static void test_right_for_one_to_two_slots(void **state)
{
    (void)state;
    const struct usmp_cookie_secret secret = secret_of(1);
    const struct usmp_cookie_claim mine = claim();
    for (uint64_t made = 0; made <= 120; made += 5) {
        uint8_t cookie[USMP_COOKIE_SIZE];
        usmp_cookie_make(&secret, &mine, made * SECOND, cookie);
        for (uint64_t now = 0; now <= 240; now += 5) {
            bool expected = now / 30 == made / 30 || now / 30 == made / 30 + 1;
            assert_int_equal(usmp_cookie_is_right(&secret, &mine, now * SECOND, cookie), expected);
        }
    }
}

static void test_the_edges_of_a_slot(void **state)
{
    (void)state;
    const struct usmp_cookie_secret secret = secret_of(1);
    const struct usmp_cookie_claim mine = claim();
    uint8_t cookie[USMP_COOKIE_SIZE];
    usmp_cookie_make(&secret, &mine, 30 * SECOND, cookie);
    assert_false(usmp_cookie_is_right(&secret, &mine, 30 * SECOND - 1, cookie));
    assert_true(usmp_cookie_is_right(&secret, &mine, 30 * SECOND, cookie));
    assert_true(usmp_cookie_is_right(&secret, &mine, 90 * SECOND - 1, cookie));
    assert_false(usmp_cookie_is_right(&secret, &mine, 90 * SECOND, cookie));
}

static void assert_only_for(const struct usmp_cookie_claim *mine, const struct usmp_cookie_claim *other)
{
    const struct usmp_cookie_secret secret = secret_of(1);
    uint8_t cookie[USMP_COOKIE_SIZE];
    usmp_cookie_make(&secret, mine, 0, cookie);
    assert_true(usmp_cookie_is_right(&secret, mine, 0, cookie));
    assert_false(usmp_cookie_is_right(&secret, other, 0, cookie));
}

/* Each thing that docs/security.md rule 12 binds it to. */
static void test_everything_claimed_counts(void **state)
{
    (void)state;
    static const uint8_t other_address[16] = {192, 0, 2, 2};
    static const uint8_t other_id[USMP_DEVICE_ID_SIZE] = {1, 2, 3, 4, 5, 7};
    uint8_t other_key[USMP_PUBLIC_KEY_SIZE] = {0};
    other_key[31] = 1;
    const struct usmp_cookie_claim mine = claim();

    struct usmp_cookie_claim other = mine;
    other.peer_address = other_address;
    assert_only_for(&mine, &other);
    other = mine;
    other.peer_address_size = 16;
    assert_only_for(&mine, &other);
    other = mine;
    other.peer_port = 40256;
    assert_only_for(&mine, &other);
    other = mine;
    other.local_address = other_address;
    assert_only_for(&mine, &other);
    other = mine;
    other.version = USMP_WIRE_1;
    assert_only_for(&mine, &other);
    other = mine;
    other.device_id = other_id;
    assert_only_for(&mine, &other);
    other = mine;
    other.public_key = other_key;
    assert_only_for(&mine, &other);
}

/* A byte that moves from the end of one address to the beginning of the other is another claim. */
static void test_addresses_do_not_run_together(void **state)
{
    (void)state;
    static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct usmp_cookie_claim mine = claim();
    struct usmp_cookie_claim other = claim();
    mine.peer_address = other.peer_address = bytes;
    mine.local_address = bytes + 4;
    mine.peer_address_size = mine.local_address_size = 4;
    other.local_address = bytes + 3;
    other.peer_address_size = 3;
    other.local_address_size = 5;
    assert_only_for(&mine, &other);
}

static void test_every_bit_of_a_cookie_counts(void **state)
{
    (void)state;
    const struct usmp_cookie_secret secret = secret_of(1);
    const struct usmp_cookie_claim mine = claim();
    uint8_t cookie[USMP_COOKIE_SIZE];
    usmp_cookie_make(&secret, &mine, 0, cookie);
    for (size_t bit = 0; bit < sizeof cookie * 8; bit++) {
        cookie[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(usmp_cookie_is_right(&secret, &mine, 0, cookie));
        assert_false(usmp_cookie_is_right(&secret, &mine, 30 * SECOND, cookie));
        cookie[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_another_boot_another_cookie(void **state)
{
    (void)state;
    const struct usmp_cookie_secret secret = secret_of(1);
    const struct usmp_cookie_secret after_boot = secret_of(2);
    const struct usmp_cookie_claim mine = claim();
    uint8_t cookie[USMP_COOKIE_SIZE];
    usmp_cookie_make(&secret, &mine, 0, cookie);
    assert_false(usmp_cookie_is_right(&after_boot, &mine, 0, cookie));
}

static void test_wiping_the_secret(void **state)
{
    (void)state;
    static const struct usmp_cookie_secret zeros;
    struct usmp_cookie_secret secret = secret_of(1);
    usmp_cookie_secret_wipe(&secret);
    assert_memory_equal(&secret, &zeros, sizeof zeros);
}

static int claim_a_long_address(void *context)
{
    const bool *is_local = context;
    static const uint8_t address[17];
    const struct usmp_cookie_secret secret = secret_of(1);
    struct usmp_cookie_claim mine = claim();
    uint8_t cookie[USMP_COOKIE_SIZE];
    mine.peer_address = mine.local_address = address;
    mine.local_address_size = *is_local ? 17 : 4;
    mine.peer_address_size = *is_local ? 4 : 17;
    usmp_cookie_make(&secret, &mine, 0, cookie);
    return 0;
}

static void test_a_long_address_stops_the_program(void **state)
{
    (void)state;
    bool is_local = false;
    assert_int_equal(child_run(claim_a_long_address, &is_local), 128 + SIGABRT);
    is_local = true;
    assert_int_equal(child_run(claim_a_long_address, &is_local), 128 + SIGABRT);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_for_one_to_two_slots),
        cmocka_unit_test(test_the_edges_of_a_slot),
        cmocka_unit_test(test_everything_claimed_counts),
        cmocka_unit_test(test_addresses_do_not_run_together),
        cmocka_unit_test(test_every_bit_of_a_cookie_counts),
        cmocka_unit_test(test_another_boot_another_cookie),
        cmocka_unit_test(test_wiping_the_secret),
        cmocka_unit_test(test_a_long_address_stops_the_program),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
