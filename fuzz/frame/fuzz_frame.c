/* Bytes from the network as libusmp's lowest layers see them: a stream, a datagram, a UTACK.
 *
 * Each input is taken as it is, and once more with its CRC made right, so that what lies behind the CRC is reached.
 * Beyond memory safety it is checked that reading and writing are each other's opposite, and that a stream's verdict
 * does not depend on how its bytes were cut.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/record.h>
#include <usmp/start.h>
#include <usmp/utack.h>

#include "proto/frame_header.h"
#include "proto/little_endian.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[USMP_KEY_SIZE] = {1};
static const uint8_t session_id[USMP_SESSION_ID_SIZE] = {2};

/* A stream that was cut says "incomplete" or what the whole says. */
static void check_beginnings(const uint8_t *data, size_t size, enum usmp_frame_verdict whole)
{
    for (size_t cut = 0; cut < size && cut < USMP_FRAME_MAX; cut++) {
        struct usmp_frame frame;
        size_t total = 0;
        enum usmp_frame_verdict verdict = usmp_frame_parse(data, cut, &frame, &total);
        assert(verdict == USMP_FRAME_INCOMPLETE || verdict == whole);
        if (verdict == USMP_FRAME_INCOMPLETE)
            assert(total > cut && total <= USMP_FRAME_MAX);
    }
}

static void check_rewriting(const struct usmp_frame *frame)
{
    uint8_t out[USMP_FRAME_MAX];
    assert(frame->size == USMP_HEADER_SIZE + frame->length && frame->size <= USMP_FRAME_MAX);
    size_t size = usmp_frame_write(frame->version, frame->type, frame->seq, frame->payload, frame->length, out);
    assert(size == frame->size && memcmp(out, frame->bytes, size) == 0);
}

static void check_message(const struct usmp_frame *frame)
{
    struct usmp_hello hello;
    struct usmp_challenge challenge;
    struct usmp_hello_ack hello_ack;
    struct usmp_session_ok session_ok;
    struct usmp_hello_retry hello_retry;
    uint8_t out[USMP_FRAME_MAX];
    size_t size = 0;
    unsigned kinds = 0;
    if (usmp_hello_read(frame, &hello) && ++kinds > 0)
        size = usmp_hello_write(frame->version, frame->seq, &hello, out);
    if (usmp_challenge_read(frame, &challenge) && ++kinds > 0)
        size = usmp_challenge_write(frame->version, frame->seq, &challenge, out);
    if (usmp_hello_ack_read(frame, &hello_ack) && ++kinds > 0)
        size = usmp_hello_ack_write(frame->version, frame->seq, &hello_ack, out);
    if (usmp_session_ok_read(frame, &session_ok) && ++kinds > 0)
        size = usmp_session_ok_write(frame->version, frame->seq, &session_ok, out);
    if (usmp_hello_retry_read(frame, &hello_retry) && ++kinds > 0)
        size = usmp_hello_retry_write(frame->seq, &hello_retry, out);
    assert(kinds == (usmp_type_is_encrypted(frame->type) ? 0 : 1));
    if (kinds == 1)
        assert(size == frame->size && memcmp(out, frame->bytes, size) == 0);
}

/* The frame's payload is taken for a plaintext too, so that there are frames that open. */
static void check_record(const struct usmp_frame *frame, enum usmp_suite suite)
{
    const struct usmp_record_context context = {key, session_id, suite};
    uint8_t plaintext[USMP_PLAINTEXT_MAX];
    uint8_t out[USMP_FRAME_MAX];
    size_t size = 0;
    enum usmp_record_verdict verdict = usmp_record_open(&context, frame, plaintext, &size);
    assert(verdict != USMP_RECORD_OPENED);
    assert((verdict == USMP_RECORD_NOT_ENCRYPTED) == (usmp_record_session(frame) == NULL));
    if (verdict == USMP_RECORD_NOT_ENCRYPTED)
        return;

    size_t plaintext_size = frame->length - (size_t)USMP_RECORD_OVERHEAD;
    size_t sealed_size =
        usmp_record_seal(&context, frame->version, frame->type, frame->seq, frame->payload, plaintext_size, out);
    struct usmp_frame sealed;
    assert(usmp_frame_parse_datagram(out, sealed_size, &sealed) == USMP_FRAME_COMPLETE);
    assert(usmp_record_open(&context, &sealed, plaintext, &size) == USMP_RECORD_OPENED);
    assert(size == plaintext_size && memcmp(plaintext, frame->payload, size) == 0);
}

static void check_stream(const uint8_t *data, size_t size)
{
    struct usmp_frame frame;
    struct usmp_frame datagram;
    size_t total = 0;
    enum usmp_frame_verdict verdict = usmp_frame_parse(data, size, &frame, &total);
    check_beginnings(data, size, verdict);
    enum usmp_frame_verdict datagram_verdict = usmp_frame_parse_datagram(data, size, &datagram);
    assert((datagram_verdict == USMP_FRAME_COMPLETE) == (verdict == USMP_FRAME_COMPLETE && total == size));
    assert(datagram_verdict != USMP_FRAME_INCOMPLETE);
    assert(usmp_frame_verdict_name(verdict) != NULL);
    if (verdict != USMP_FRAME_COMPLETE)
        return;
    assert(total == frame.size && total <= size);
    check_rewriting(&frame);
    check_message(&frame);
    check_record(&frame, USMP_AES_256_GCM);
    check_record(&frame, USMP_CHACHA20_POLY1305);
}

static void check_utack(const uint8_t *data, size_t size)
{
    struct usmp_utack utack;
    if (!usmp_utack_read(data, size, &utack))
        return;
    struct usmp_utack_key utack_key;
    uint8_t out[USMP_UTACK_KEYED_SIZE];
    usmp_utack_key_init(&utack_key, key);
    assert(usmp_utack_write_plain(utack.type, utack.seq, out) == USMP_UTACK_PLAIN_SIZE);
    assert(memcmp(out, data, USMP_UTACK_PLAIN_SIZE) == 0);
    bool is_authentic = usmp_utack_is_authentic(&utack_key, &utack);
    assert(utack.has_mac == (size >= USMP_UTACK_KEYED_SIZE));
    size_t keyed_size = usmp_utack_write_keyed(&utack_key, utack.type, utack.seq, out);
    assert(is_authentic == (utack.has_mac && memcmp(out, data, keyed_size) == 0));
    assert(usmp_utack_read(out, keyed_size, &utack) && usmp_utack_is_authentic(&utack_key, &utack));
}

static void check_with_a_right_crc(const uint8_t *data, size_t size)
{
    if (size < USMP_HEADER_SIZE)
        return;
    size_t length = usmp_load_le16(data + USMP_HEADER_SIZE - 4);
    if (length > size - USMP_HEADER_SIZE)
        return;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    usmp_frame_header_finish(copy, length);
    check_stream(copy, size);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (usmp_start() != NULL)
        abort();
    check_stream(data, size);
    check_utack(data, size);
    check_with_a_right_crc(data, size);
    return 0;
}
