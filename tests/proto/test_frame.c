#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/frame.h>

#include "platform/child.h"
#include "proto/crc16.h"
#include "support/hex.h"

/* A real HELLO and a real DATA, recorded with the released SDK 1.2.2. */
static const char hello_hex[] = "cdab0201000000002600d8fc9d9e4b5a64a9ae997b6c01d309791c2ed96d89b94436fd6916cae68eb3d5"
                                "ae88d0c9e2429f41";
static const char data_hex[] = "cdab0205070000002700988107000000201ac588f0a9b954199f36e42105fe898e24f475e120b9757dc1"
                               "6c51e6ce866cae841d";

/* Headers that say anything, with a right CRC. */
static size_t make(uint8_t *out, uint8_t version, uint8_t type, uint16_t length)
{
    memset(out, 0x5A, 12u + length);
    const uint8_t header[] = {0xCD, 0xAB, version, type, 1, 2, 3, 4, (uint8_t)length, (uint8_t)(length >> 8)};
    memcpy(out, header, sizeof header);
    uint16_t crc = usmp_crc16(usmp_crc16(USMP_CRC16_INITIAL, out, 10), out + 12, length);
    out[10] = (uint8_t)crc;
    out[11] = (uint8_t)(crc >> 8);
    return 12u + length;
}

static enum usmp_frame_verdict parse(const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    size_t total;
    return usmp_frame_parse(bytes, size, &frame, &total);
}

static void test_a_recorded_frame(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX + 5];
    size_t size = hex_read(data_hex, bytes, sizeof bytes);
    struct usmp_frame frame;
    size_t total = 0;
    assert_int_equal(usmp_frame_parse(bytes, size + 5, &frame, &total), USMP_FRAME_COMPLETE);
    assert_int_equal(total, size);
    assert_int_equal(frame.version, 2);
    assert_int_equal(frame.type, USMP_DATA);
    assert_int_equal(frame.seq, 7);
    assert_int_equal(frame.length, 39);
    assert_int_equal(frame.size, 51);
    assert_ptr_equal(frame.bytes, bytes);
    assert_ptr_equal(frame.payload, bytes + 12);
}

static void test_every_beginning_of_a_frame_is_incomplete(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX];
    size_t whole = hex_read(hello_hex, bytes, sizeof bytes);
    for (size_t size = 0; size < whole; size++) {
        struct usmp_frame frame = {.seq = 99};
        size_t total = 0;
        assert_int_equal(usmp_frame_parse(bytes, size, &frame, &total), USMP_FRAME_INCOMPLETE);
        assert_int_equal(total, size < 12 ? 12 : whole);
        assert_int_equal(frame.seq, 99);
    }
}

/* A fault shows with the byte that has it, and for every longer beginning. */
static void assert_found_with_byte(const uint8_t *bytes, size_t whole, size_t byte, enum usmp_frame_verdict verdict)
{
    for (size_t size = 0; size <= whole; size++) {
        struct usmp_frame frame = {.seq = 99};
        size_t total = 77;
        enum usmp_frame_verdict found = usmp_frame_parse(bytes, size, &frame, &total);
        assert_int_equal(found, size <= byte ? USMP_FRAME_INCOMPLETE : verdict);
        assert_int_equal(frame.seq, 99);
        if (size > byte)
            assert_int_equal(total, 77);
    }
}

static void test_faults_show_early(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX];
    size_t size = make(bytes, 2, USMP_DATA, 30);
    bytes[0] = 0xCC;
    assert_found_with_byte(bytes, size, 0, USMP_FRAME_BAD_MAGIC);
    size = make(bytes, 2, USMP_DATA, 30);
    bytes[1] = 0xAA;
    assert_found_with_byte(bytes, size, 1, USMP_FRAME_BAD_MAGIC);
    size = make(bytes, 3, USMP_DATA, 30);
    assert_found_with_byte(bytes, size, 2, USMP_FRAME_BAD_VERSION);
    size = make(bytes, 2, 0x0C, 30);
    assert_found_with_byte(bytes, size, 3, USMP_FRAME_BAD_TYPE);
    size = make(bytes, 2, USMP_DATA, 27);
    assert_found_with_byte(bytes, size, 9, USMP_FRAME_BAD_LENGTH);
    size = make(bytes, 2, USMP_DATA, 30);
    bytes[20] ^= 1;
    assert_found_with_byte(bytes, size, size - 1, USMP_FRAME_BAD_CRC);
}

static void test_versions(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX];
    for (unsigned version = 0; version <= UINT8_MAX; version++) {
        size_t size = make(bytes, (uint8_t)version, USMP_HELLO, 38);
        bool known = version == 1 || version == 2;
        assert_int_equal(parse(bytes, size), known ? USMP_FRAME_COMPLETE : USMP_FRAME_BAD_VERSION);
    }
}

/* The lengths that each type may have: docs/protocol.md section 1, by its numbers. */
static bool may_have(unsigned version, unsigned type, size_t length)
{
    switch (type) {
    case 0x01:
        return length == 38 || (version == 2 && length == 54);
    case 0x02:
        return length == 64;
    case 0x03:
        return length == 32;
    case 0x04:
        return length == 48;
    case 0x05:
    case 0x09:
        return length >= 28 && length <= 480;
    case 0x06:
    case 0x07:
    case 0x08:
        return length == 28;
    case 0x0A:
        return length == 16;
    case 0x0B:
        return length == 60;
    default:
        return false;
    }
}

static bool is_type(unsigned version, unsigned type)
{
    return type >= 0x01 && type <= (version == 1 ? 0x09 : 0x0B);
}

static void test_every_type_with_every_length(void **state)
{
    (void)state;
    static uint8_t bytes[12 + 600];
    for (uint8_t version = 1; version <= 2; version++) {
        for (unsigned type = 0; type <= UINT8_MAX; type++) {
            for (uint16_t length = 0; length <= 600; length++) {
                enum usmp_frame_verdict expected = USMP_FRAME_COMPLETE;
                if (!is_type(version, type))
                    expected = USMP_FRAME_BAD_TYPE;
                else if (!may_have(version, type, length))
                    expected = USMP_FRAME_BAD_LENGTH;
                size_t size = make(bytes, version, (uint8_t)type, length);
                assert_int_equal(parse(bytes, size), expected);
            }
        }
    }
    make(bytes, 2, USMP_DATA, 0);
    bytes[8] = bytes[9] = 0xFF;
    assert_int_equal(parse(bytes, sizeof bytes), USMP_FRAME_BAD_LENGTH);
}

/* The CRC finds every single wrong bit that the header's other checks do not. */
static void test_every_bit_changed(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX];
    size_t size = hex_read(hello_hex, bytes, sizeof bytes);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct usmp_frame frame;
        size_t total;
        enum usmp_frame_verdict stream = usmp_frame_parse(bytes, size, &frame, &total);
        /* Only the length may make it seem longer than it is, and that of a HELLO may not. */
        assert_int_not_equal(stream, USMP_FRAME_COMPLETE);
        assert_int_not_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
        if (bit / 8 >= 4 && bit / 8 != 8 && bit / 8 != 9)
            assert_int_equal(stream, USMP_FRAME_BAD_CRC);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(parse(bytes, size), USMP_FRAME_COMPLETE);
}

static void test_datagrams_are_exactly_one_frame(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX + 1] = {0};
    size_t whole = hex_read(data_hex, bytes, sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct usmp_frame frame = {.seq = 99};
        enum usmp_frame_verdict verdict = usmp_frame_parse_datagram(bytes, size, &frame);
        assert_int_equal(verdict, size == whole ? USMP_FRAME_COMPLETE : USMP_FRAME_BAD_LENGTH);
        assert_int_equal(frame.seq, size == whole ? 7 : 99);
    }
    bytes[0] = 0;
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_parse_datagram(bytes, 1, &frame), USMP_FRAME_BAD_MAGIC);
}

static void test_writing_gives_the_recorded_bytes(void **state)
{
    (void)state;
    const char *const frames[] = {hello_hex, data_hex};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[USMP_FRAME_MAX];
        uint8_t made[USMP_FRAME_MAX + 1];
        size_t size = hex_read(frames[i], bytes, sizeof bytes);
        struct usmp_frame frame;
        assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);

        memset(made, 0xEE, sizeof made);
        assert_int_equal(usmp_frame_write(frame.version, frame.type, frame.seq, frame.payload, frame.length, made),
                         size);
        assert_memory_equal(made, bytes, size);
        assert_int_equal(made[size], 0xEE);

        /* With the payload in its place already. */
        memset(made, 0xEE, 12);
        assert_int_equal(usmp_frame_write(frame.version, frame.type, frame.seq, made + 12, frame.length, made), size);
        assert_memory_equal(made, bytes, size);
    }
}

static void test_seq_takes_four_bytes(void **state)
{
    (void)state;
    uint8_t payload[28] = {0};
    uint8_t bytes[USMP_CONTROL_FRAME];
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_write(1, USMP_BYE, 0xFFFFFFFF, payload, 28, bytes), 40);
    assert_int_equal(usmp_frame_parse_datagram(bytes, 40, &frame), USMP_FRAME_COMPLETE);
    assert_int_equal(frame.seq, 0xFFFFFFFF);
    usmp_frame_write(1, USMP_BYE, 0x01020304, payload, 28, bytes);
    assert_memory_equal(bytes + 4, "\x04\x03\x02\x01", 4);
}

struct header {
    uint8_t version;
    uint8_t type;
    size_t length;
};

static int write_it(void *context)
{
    const struct header *header = context;
    static uint8_t out[12 + 65536];
    static const uint8_t payload[65536];
    usmp_frame_write(header->version, header->type, 0, payload, header->length, out);
    return 0;
}

static void test_writing_nonsense_stops_the_program(void **state)
{
    (void)state;
    struct header nonsense[] = {
        {0, USMP_DATA, 28}, {3, USMP_DATA, 28},  {2, 0, 28},         {2, USMP_ERROR, 0},    {1, USMP_REKEY, 60},
        {2, USMP_PING, 29}, {1, USMP_HELLO, 54}, {2, USMP_DATA, 27}, {2, USMP_DATA, 65564},
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        assert_int_equal(child_run(write_it, &nonsense[i]), 128 + SIGABRT);
    struct header sense = {2, USMP_DATA, 480};
    assert_int_equal(child_run(write_it, &sense), 0);
}

static void test_verdicts_have_names(void **state)
{
    (void)state;
    assert_string_equal(usmp_frame_verdict_name(USMP_FRAME_COMPLETE), "complete");
    assert_string_equal(usmp_frame_verdict_name(USMP_FRAME_INCOMPLETE), "incomplete");
    assert_string_equal(usmp_frame_verdict_name(USMP_FRAME_BAD_MAGIC), "bad magic");
    assert_string_equal(usmp_frame_verdict_name(USMP_FRAME_BAD_VERSION), "bad version");
    assert_string_equal(usmp_frame_verdict_name(USMP_FRAME_BAD_TYPE), "bad type");
    assert_string_equal(usmp_frame_verdict_name(USMP_FRAME_BAD_LENGTH), "bad length");
    assert_string_equal(usmp_frame_verdict_name(USMP_FRAME_BAD_CRC), "bad CRC");
    assert_string_equal(usmp_frame_verdict_name((enum usmp_frame_verdict)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_recorded_frame),
        cmocka_unit_test(test_every_beginning_of_a_frame_is_incomplete),
        cmocka_unit_test(test_faults_show_early),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_every_type_with_every_length),
        cmocka_unit_test(test_every_bit_changed),
        cmocka_unit_test(test_datagrams_are_exactly_one_frame),
        cmocka_unit_test(test_writing_gives_the_recorded_bytes),
        cmocka_unit_test(test_seq_takes_four_bytes),
        cmocka_unit_test(test_writing_nonsense_stops_the_program),
        cmocka_unit_test(test_verdicts_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
