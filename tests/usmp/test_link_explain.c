#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/link.h"

static struct link ended;

static int clear(void **state)
{
    (void)state;
    memset(&ended, 0, sizeof ended);
    ended.state = LINK_OVER;
    ended.start.version = USMP_WIRE_1;
    return 0;
}

static void assert_explained(const char *part)
{
    struct error_text reason = {.text = "nothing yet"};
    link_explain(&ended, &reason);
    if (strstr(reason.text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, reason.text);
}

static void fail_handshake(enum usmp_device_failure failure, bool was_challenged)
{
    ended.end = LINK_END_DEVICE;
    ended.device.state = USMP_DEVICE_FAILED;
    ended.device.failure = failure;
    ended.was_challenged = was_challenged;
}

static void end_session(enum usmp_end end)
{
    ended.end = LINK_END_DEVICE;
    ended.device.state = USMP_DEVICE_CONNECTED;
    ended.device.session.end = end;
}

static void test_handshakes(void **state)
{
    (void)state;
    fail_handshake(USMP_DEVICE_NO_ANSWER, false);
    assert_explained("no answer");
    fail_handshake(USMP_DEVICE_NO_ANSWER, true);
    assert_explained("the gateway refuses this device: it does not know it, or has another key for it");
    fail_handshake(USMP_DEVICE_WRONG_GATEWAY, true);
    assert_explained("the gateway has another key for this device");
    fail_handshake(USMP_DEVICE_BAD_PUBLIC_KEY, true);
    assert_explained("public key");
    fail_handshake(USMP_DEVICE_PROTOCOL, false);
    assert_explained("does not keep to the handshake");
}

static void test_sessions(void **state)
{
    (void)state;
    end_session(USMP_END_BYE);
    assert_explained("the gateway said goodbye");
    end_session(USMP_END_PROTOCOL);
    assert_explained("the gateway broke the protocol");
    end_session(USMP_END_EXHAUSTED);
    assert_explained("sequence numbers");
    end_session(USMP_END_GIVEN_UP);
    assert_explained("does not answer any more");
    end_session(USMP_END_CLOSED);
    assert_explained("closed");
}

static void test_connections(void **state)
{
    (void)state;
    ended.end = LINK_END_SOCKET;
    ended.error = ECONNREFUSED;
    assert_explained("Connection refused");
    ended.end = LINK_END_LATE;
    assert_explained("no connection in time");
    ended.end = LINK_END_NOT_USMP;
    assert_explained("not USMP");
    ended.end = LINK_END_CLOSED;
    assert_explained("closed");
}

static void test_hang_ups(void **state)
{
    (void)state;
    ended.end = LINK_END_HUNG_UP;
    assert_explained("the gateway hung up: it does not speak wire 1, is full, or has locked this address out");
    ended.was_challenged = true;
    assert_explained("the gateway refuses this device");
    ended.device.state = USMP_DEVICE_CONNECTED;
    assert_explained("the gateway closed the connection");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_handshakes, clear),
        cmocka_unit_test_setup(test_sessions, clear),
        cmocka_unit_test_setup(test_connections, clear),
        cmocka_unit_test_setup(test_hang_ups, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
