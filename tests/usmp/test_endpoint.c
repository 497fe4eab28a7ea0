#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/endpoint.h"

static void assert_endpoint(const char *text, const char *host, const char *port)
{
    struct endpoint endpoint;
    assert_int_equal(endpoint_parse(text, &endpoint), ENDPOINT_GOOD);
    assert_string_equal(endpoint.host, host);
    assert_string_equal(endpoint.port, port);
}

static void assert_refused(const char *text, enum endpoint_verdict expected)
{
    struct endpoint endpoint;
    struct endpoint before;
    memset(&endpoint, 0x5a, sizeof endpoint);
    before = endpoint;
    enum endpoint_verdict verdict = endpoint_parse(text, &endpoint);
    if (verdict != expected)
        fail_msg("%s: %d in place of %d", text, (int)verdict, (int)expected);
    assert_memory_equal(&endpoint, &before, sizeof endpoint);
}

static void test_names_and_addresses(void **state)
{
    (void)state;
    assert_endpoint("localhost:9000", "localhost", "9000");
    assert_endpoint("gateway.example.org:1", "gateway.example.org", "1");
    assert_endpoint("192.0.2.7:65535", "192.0.2.7", "65535");
    assert_endpoint("192.0.2.7:09000", "192.0.2.7", "9000");
    assert_endpoint("[2001:db8::1]:9000", "2001:db8::1", "9000");
    assert_endpoint("[fe80::1%eth0]:9000", "fe80::1%eth0", "9000");
    assert_endpoint("[name]:9000", "name", "9000");
}

static void test_ports(void **state)
{
    (void)state;
    assert_refused("localhost", ENDPOINT_NO_PORT);
    assert_refused("", ENDPOINT_NO_PORT);
    assert_refused("[::1]", ENDPOINT_NO_PORT);
    assert_refused("localhost:", ENDPOINT_BAD_PORT);
    assert_refused("localhost:0", ENDPOINT_BAD_PORT);
    assert_refused("localhost:65536", ENDPOINT_BAD_PORT);
    assert_refused("localhost:-1", ENDPOINT_BAD_PORT);
    assert_refused("localhost:http", ENDPOINT_BAD_PORT);
    assert_refused("localhost:9000 ", ENDPOINT_BAD_PORT);
    assert_refused("[::1]:", ENDPOINT_BAD_PORT);
    assert_refused("[::1]:0", ENDPOINT_BAD_PORT);
}

static void test_hosts(void **state)
{
    (void)state;
    assert_refused(":9000", ENDPOINT_BAD_HOST);
    assert_refused("[]:9000", ENDPOINT_BAD_HOST);
    assert_refused("[::1", ENDPOINT_BAD_HOST);
    assert_refused("[::1]9000", ENDPOINT_BAD_HOST);
    assert_refused("::1:9000", ENDPOINT_BARE_IPV6);
    assert_refused("2001:db8::1:9000", ENDPOINT_BARE_IPV6);
}

static void test_the_longest_host(void **state)
{
    (void)state;
    char text[ENDPOINT_HOST_SIZE + 8];
    memset(text, 'h', ENDPOINT_HOST_SIZE);
    strcpy(text + ENDPOINT_HOST_SIZE - 1, ":9000");
    struct endpoint endpoint;
    assert_int_equal(endpoint_parse(text, &endpoint), ENDPOINT_GOOD);
    assert_int_equal(strlen(endpoint.host), ENDPOINT_HOST_SIZE - 1);

    memset(text, 'h', ENDPOINT_HOST_SIZE);
    strcpy(text + ENDPOINT_HOST_SIZE, ":9000");
    assert_refused(text, ENDPOINT_BAD_HOST);
}

static void test_every_refusal_is_explained(void **state)
{
    (void)state;
    assert_non_null(strstr(endpoint_explain(ENDPOINT_NO_PORT), "HOST:PORT"));
    assert_non_null(strstr(endpoint_explain(ENDPOINT_BAD_PORT), "65535"));
    assert_non_null(strstr(endpoint_explain(ENDPOINT_BAD_HOST), "HOST:PORT"));
    assert_non_null(strstr(endpoint_explain(ENDPOINT_BARE_IPV6), "brackets"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_addresses),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_the_longest_host),
        cmocka_unit_test(test_every_refusal_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
