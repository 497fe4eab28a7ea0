/* What the client does when memory is short; what it does otherwise is tested with the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <usmp/start.h>

#include "platform/secret_memory.h"
#include "usmp/client.h"
#include "usmp/keygen.h"
#include "usmp/reported.h"

static unsigned allocations_left;

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void *__real_secret_memory_allocate(size_t size, enum secret_memory_kind kind);

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return __real_secret_memory_allocate(size, kind);
}

static char key_path[] = "usmp-test-client-XXXXXX";

static int start(void **state)
{
    (void)state;
    int descriptor = mkstemp(key_path);
    if (descriptor < 0 || write(descriptor, "a key of some length\n", 21) != 21)
        return -1;
    close(descriptor);
    return usmp_start() == NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return remove(key_path);
}

static int run(enum arguments_command command)
{
    static char text[] = "text";
    char *texts[] = {text};
    struct arguments arguments = {
        .command = command,
        .endpoint = {"127.0.0.1", "1"},
        .key_path = key_path,
        .key_format = KEY_FILE_TEXT,
        .transport = USMP_TCP,
        .wire = USMP_WIRE_2,
        .cipher = USMP_CIPHER_AES_256_GCM,
        .timeout = 10000000,
        .texts = texts,
        .text_count = 1,
    };
    reported_forget();
    return client_run(&arguments);
}

/* Whether it is the link, the identity, or the file's bytes that there is no memory for. */
static void test_memory_is_short_at_every_place(void **state)
{
    (void)state;
    unsigned place = 0;
    for (;; place++) {
        allocations_left = place;
        assert_int_equal(run(place % 2 == 0 ? ARGUMENTS_SEND : ARGUMENTS_CONNECT), EXIT_FAILURE);
        if (strstr(reported(), "out of memory") == NULL)
            break;
    }
    assert_int_equal(place, 3);
    assert_int_equal(allocations_left, 0);
    assert_reported("127.0.0.1:1 over TCP: Connection refused"); /* nobody listens at port 1 */
}

static void test_nothing_is_kept(void **state)
{
    (void)state;
    size_t before = secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes;
    for (int i = 0; i < 50; i++) {
        allocations_left = 100;
        assert_int_equal(run(ARGUMENTS_SEND), EXIT_FAILURE);
    }
    assert_int_equal(secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes, before);
}

static void test_no_memory_for_a_new_key(void **state)
{
    (void)state;
    allocations_left = 0;
    reported_forget();
    assert_int_equal(keygen(), EXIT_FAILURE);
    assert_reported("out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_short_at_every_place),
        cmocka_unit_test(test_nothing_is_kept),
        cmocka_unit_test(test_no_memory_for_a_new_key),
    };
    return cmocka_run_group_tests(tests, start, end);
}
