#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/wire.h>

/* The table of docs/protocol.md section 1, by its numbers. */
static const struct {
    uint8_t type;
    const char *name;
    bool encrypted;
} types[] = {
    {0x01, "HELLO", false},    {0x02, "CHALLENGE", false},   {0x03, "HELLO_ACK", false}, {0x04, "SESSION_OK", false},
    {0x05, "DATA", true},      {0x06, "PING", true},         {0x07, "PONG", true},       {0x08, "BYE", true},
    {0x09, "DATA_FRAG", true}, {0x0A, "HELLO_RETRY", false}, {0x0B, "REKEY", true},      {0xFF, "ERROR", false},
};

static void test_types(void **state)
{
    (void)state;
    for (unsigned type = 0; type <= UINT8_MAX; type++) {
        const char *name = "unknown";
        bool encrypted = false;
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            if (types[i].type == type) {
                name = types[i].name;
                encrypted = types[i].encrypted;
            }
        }
        assert_string_equal(usmp_type_name((uint8_t)type), name);
        assert_int_equal(usmp_type_is_encrypted((uint8_t)type), encrypted);
    }
}

/* The sizes that the same table and section 4 give. */
static void test_sizes(void **state)
{
    (void)state;
    assert_int_equal(USMP_HELLO_FRAME, 50);
    assert_int_equal(USMP_HELLO_COOKIE_FRAME, 66);
    assert_int_equal(USMP_CHALLENGE_FRAME, 76);
    assert_int_equal(USMP_HELLO_ACK_FRAME, 44);
    assert_int_equal(USMP_SESSION_OK_FRAME, 60);
    assert_int_equal(USMP_HELLO_RETRY_FRAME, 28);
    assert_int_equal(USMP_CONTROL_FRAME, 40);
    assert_int_equal(USMP_REKEY_FRAME, 72);
    assert_int_equal(USMP_FRAME_MAX, 492);
    assert_int_equal(USMP_UTACK_KEYED_SIZE, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
