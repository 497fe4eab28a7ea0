/* Hosts with several addresses. What their name says is made up here; the addresses are real sockets. */
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <usmp/start.h>

#include "usmp/dial.h"
#include "usmp/loopback_gateway.h"
#include "usmp/reported.h"

#define KEY "a key of some length"
#define PLACES_MAX (DIAL_ADDRESSES_MAX + 2)

static struct sockaddr_in places[PLACES_MAX];
static struct addrinfo list[PLACES_MAX];
static size_t place_count;
static unsigned lists_out;

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **result);
void __wrap_freeaddrinfo(struct addrinfo *result);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **result)
{
    assert_string_equal(host, "gateway.test");
    assert_string_equal(port, "9000");
    assert_true(hints->ai_socktype == SOCK_STREAM || hints->ai_socktype == SOCK_DGRAM);
    if (place_count == 0)
        return EAI_NONAME;
    for (size_t i = 0; i < place_count; i++) {
        list[i] = (struct addrinfo){
            .ai_family = AF_INET,
            .ai_socktype = hints->ai_socktype,
            .ai_addr = (struct sockaddr *)&places[i],
            .ai_addrlen = sizeof places[i],
            .ai_next = i + 1 < place_count ? &list[i + 1] : NULL,
        };
    }
    lists_out++;
    *result = list;
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *result)
{
    assert_ptr_equal(result, list);
    lists_out--;
}

static void add_place(uint16_t port)
{
    assert_true(place_count < PLACES_MAX);
    places[place_count++] = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int listen_at(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(descriptor, 4), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return descriptor;
}

static const struct endpoint endpoint = {"gateway.test", "9000"};
static struct link_identity identity;
static struct link *dialled;

static bool has_room(void *context)
{
    (void)context;
    return true;
}

static void receive(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    (void)size;
}

static int prepare(void **state)
{
    (void)state;
    const struct link_receiver receiver = {NULL, has_room, receive};
    if (usmp_start() != NULL)
        return -1;
    place_count = 0;
    lists_out = 0;
    reported_forget();
    identity = (struct link_identity){
        .transport = USMP_TCP, .wire = USMP_WIRE_2, .cipher = USMP_CIPHER_AES_256_GCM, .timeout = 30000000};
    usmp_psk_init(&identity.psk, KEY, strlen(KEY));
    dialled = link_create(&receiver);
    return dialled != NULL ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    link_destroy(dialled);
    return lists_out == 0 ? 0 : -1;
}

static struct loopback_gateway gateway;
static atomic_bool is_served;

static void *serve(void *context)
{
    (void)context;
    while (atomic_load(&is_served)) {
        struct pollfd descriptors[LOOPBACK_DESCRIPTORS];
        loopback_gateway_prepare(&gateway, descriptors);
        (void)poll(descriptors, LOOPBACK_DESCRIPTORS, 20);
        loopback_gateway_service(&gateway, descriptors);
    }
    return NULL;
}

static bool dial_served(void)
{
    pthread_t thread;
    atomic_store(&is_served, true);
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    bool is_live = dial(&endpoint, &identity, dialled);
    atomic_store(&is_served, false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return is_live;
}

/* How often `part` stands in what was reported. */
static unsigned count_reported(const char *part)
{
    unsigned count = 0;
    for (const char *found = reported(); (found = strstr(found, part)) != NULL; found++)
        count++;
    return count;
}

static void test_a_name_that_nobody_has(void **state)
{
    (void)state;
    assert_false(dial(&endpoint, &identity, dialled));
    assert_reported("gateway.test: Name or service not known");
}

static void try_a_second_address(enum usmp_transport transport)
{
    identity.transport = transport;
    assert_true(loopback_gateway_open(&gateway, transport, AF_INET, KEY, strlen(KEY)));
    add_place(1); /* nobody there */
    add_place(gateway.port);
    add_place(1);
    assert_true(dial_served());
    assert_int_equal(dialled->state, LINK_LIVE);
    assert_nothing_reported();
    loopback_gateway_close(&gateway);
}

static void test_the_second_address_over_tcp(void **state)
{
    (void)state;
    try_a_second_address(USMP_TCP);
}

static void test_the_second_address_over_udp(void **state)
{
    (void)state;
    try_a_second_address(USMP_UDP);
}

static void test_nobody_at_any_address(void **state)
{
    (void)state;
    uint16_t port;
    int silent = listen_at(&port);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%u over TCP: no answer\n", port);
    identity.timeout = 200000;
    add_place(1);
    add_place(port);
    add_place(2);
    assert_false(dial(&endpoint, &identity, dialled));
    assert_reported("127.0.0.1:1 over TCP: Connection refused\n");
    assert_reported(expected);
    assert_reported("127.0.0.1:2 over TCP: Connection refused\n");
    close(silent);
}

static void test_a_gateway_that_refuses_has_the_last_word(void **state)
{
    (void)state;
    assert_true(loopback_gateway_open(&gateway, USMP_TCP, AF_INET, "another key altogether", 22));
    add_place(gateway.port);
    add_place(1);
    assert_false(dial_served());
    assert_reported("the gateway refuses this device");
    assert_int_equal(count_reported("over TCP"), 1);
    assert_int_equal(gateway.connections, 1);
    loopback_gateway_close(&gateway);
}

static void test_more_addresses_than_are_tried(void **state)
{
    (void)state;
    for (int i = 0; i < PLACES_MAX; i++)
        add_place(1);
    assert_false(dial(&endpoint, &identity, dialled));
    assert_int_equal(count_reported("Connection refused"), DIAL_ADDRESSES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_name_that_nobody_has, prepare, clean_up),
        cmocka_unit_test_setup_teardown(test_the_second_address_over_tcp, prepare, clean_up),
        cmocka_unit_test_setup_teardown(test_the_second_address_over_udp, prepare, clean_up),
        cmocka_unit_test_setup_teardown(test_nobody_at_any_address, prepare, clean_up),
        cmocka_unit_test_setup_teardown(test_a_gateway_that_refuses_has_the_last_word, prepare, clean_up),
        cmocka_unit_test_setup_teardown(test_more_addresses_than_are_tried, prepare, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
