/* UTACKs to a session in every state that can wait for one, or waits for none: the keys are known, so that right ones
 * are among them. A UTACK does what docs/protocol.md section 4 says for what is in flight, under the key of what is in
 * flight (docs/security.md rule 19), and otherwise nothing at all.
 *
 * The input: a byte for the session, a byte for what is in flight, then UTACKs (see send_utack), each one offered to
 * the same session.
 */
#include <stdlib.h>
#include <string.h>

#include <usmp/record.h>
#include <usmp/session.h>
#include <usmp/start.h>
#include <usmp/utack.h>

#include "gateway/require.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UTACKS_MAX 40

enum in_flight {
    NOTHING_IN_FLIGHT,
    MESSAGE_IN_FLIGHT,
    FRAGMENT_IN_FLIGHT,
    LAST_FRAGMENT_IN_FLIGHT,
    CONTROL_IN_FLIGHT, /* PONG of a gateway, PING of a device */
    BYE_IN_FLIGHT,
    REKEY_IN_FLIGHT,       /* a device's */
    MESSAGE_UNDER_OLD_KEY, /* the peer's REKEY came behind it */
    FRAGMENT_UNDER_OLD_KEY,
    SESSION_OK_IN_FLIGHT, /* of a gateway: not confirmed */
    SESSION_OVER,
    IN_FLIGHT_COUNT,
};

static struct {
    struct usmp_session session;
    struct usmp_keys old_keys; /* before a REKEY */
    struct usmp_keys keys;
    uint64_t now;
    uint32_t peer_seq;
} fuzz;

static uint8_t payload[USMP_MESSAGE_MAX];
static const uint8_t session_id[USMP_SESSION_ID_SIZE] = {8, 7, 6, 5};

static void send_nowhere(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                         size_t size)
{
    (void)context;
    (void)session;
    (void)kind;
    require(bytes != NULL && size > 0);
}

static void *take_block(void *context, enum usmp_block block)
{
    static const size_t sizes[] = {USMP_MESSAGE_MAX, sizeof(struct usmp_rekey_record), sizeof(struct usmp_sent_tags)};
    (void)context;
    return malloc(sizes[block]);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    free(bytes);
}

static const struct usmp_session_owner owner = {NULL, send_nowhere, take_block, give_block};

static bool is_gateway(void)
{
    return fuzz.session.role == USMP_GATEWAY;
}

static const uint8_t *our_key(const struct usmp_keys *keys)
{
    return is_gateway() ? keys->gateway_to_device : keys->device_to_gateway;
}

static void peer_sends(uint8_t type, const uint8_t *plaintext, size_t size)
{
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    uint8_t bytes[USMP_FRAME_MAX];
    struct usmp_frame frame;
    const struct usmp_record_context context = {
        is_gateway() ? fuzz.keys.device_to_gateway : fuzz.keys.gateway_to_device, session_id, USMP_AES_256_GCM};
    size_t frame_size = usmp_record_seal(&context, fuzz.session.version, type, fuzz.peer_seq++, plaintext, size, bytes);
    require(usmp_frame_parse_datagram(bytes, frame_size, &frame) == USMP_FRAME_COMPLETE);
    require(usmp_session_receive(&fuzz.session, &frame, scratch, fuzz.now) == USMP_SESSION_NOTHING);
}

static enum usmp_session_verdict acknowledge_flight(void)
{
    uint8_t bytes[USMP_UTACK_KEYED_SIZE];
    struct usmp_utack_key key;
    usmp_utack_key_init(&key, our_key(&fuzz.keys));
    const struct usmp_outgoing *outgoing = &fuzz.session.outgoing;
    size_t size = fuzz.session.version == USMP_WIRE_2
                      ? usmp_utack_write_keyed(&key, outgoing->type, outgoing->seq, bytes)
                      : usmp_utack_write_plain(outgoing->type, outgoing->seq, bytes);
    return usmp_session_receive_utack(&fuzz.session, bytes, size, fuzz.now);
}

static void send_message(size_t size)
{
    require(usmp_session_send(&fuzz.session, payload, size, fuzz.now) == USMP_SEND_STARTED);
}

static void rekey_of_peer(void)
{
    uint8_t salt[USMP_REKEY_SALT_SIZE] = {0x5A};
    fuzz.old_keys = fuzz.keys;
    peer_sends(USMP_REKEY, salt, sizeof salt);
    usmp_keys_rekey(&fuzz.old_keys, is_gateway() ? USMP_DEVICE : USMP_GATEWAY, session_id, salt, &fuzz.keys);
    require(memcmp(&fuzz.keys, &fuzz.session.keys, sizeof fuzz.keys) == 0);
}

static void put_in_flight(enum in_flight what)
{
    const uint8_t salt[USMP_REKEY_SALT_SIZE] = {0xA5};
    switch (what) {
    case MESSAGE_IN_FLIGHT:
        send_message(9);
        break;
    case FRAGMENT_IN_FLIGHT:
        send_message(USMP_MESSAGE_MAX);
        break;
    case LAST_FRAGMENT_IN_FLIGHT:
        send_message(USMP_PLAINTEXT_MAX + 1);
        require(acknowledge_flight() == USMP_SESSION_NOTHING);
        (void)!usmp_session_advance(&fuzz.session, fuzz.now);
        break;
    case CONTROL_IN_FLIGHT:
        peer_sends(USMP_PING, NULL, 0);
        (void)!usmp_session_advance(&fuzz.session, fuzz.now);
        break;
    case BYE_IN_FLIGHT:
        usmp_session_close(&fuzz.session, fuzz.now);
        break;
    case REKEY_IN_FLIGHT:
        require(usmp_session_rekey(&fuzz.session, salt, fuzz.now) == USMP_SEND_STARTED);
        break;
    case MESSAGE_UNDER_OLD_KEY:
        send_message(9);
        rekey_of_peer();
        break;
    case FRAGMENT_UNDER_OLD_KEY:
        send_message(USMP_MESSAGE_MAX);
        rekey_of_peer();
        break;
    case SESSION_OVER:
        usmp_session_close(&fuzz.session, fuzz.now);
        require(acknowledge_flight() == USMP_SESSION_OVER);
        break;
    default:
        break;
    }
}

static enum in_flight begin(uint8_t how, uint8_t what)
{
    struct usmp_session_start start = {
        .role = how & 1 ? USMP_DEVICE : USMP_GATEWAY,
        .version = how & 2 ? USMP_WIRE_1 : USMP_WIRE_2,
        .transport = how & 4 ? USMP_TCP : USMP_UDP,
        .may_send = true,
        .cipher = USMP_CIPHER_AES_256_GCM,
        .confirm_within = 10000000,
    };
    enum in_flight in_flight = (enum in_flight)(what % IN_FLIGHT_COUNT);
    bool rekeys =
        in_flight == REKEY_IN_FLIGHT || in_flight == MESSAGE_UNDER_OLD_KEY || in_flight == FRAGMENT_UNDER_OLD_KEY;
    if (rekeys)
        start.version = USMP_WIRE_2;
    if (in_flight == REKEY_IN_FLIGHT)
        start.role = USMP_DEVICE;
    if (in_flight == SESSION_OK_IN_FLIGHT || in_flight == CONTROL_IN_FLIGHT)
        start.role = USMP_GATEWAY;
    if (start.transport == USMP_TCP)
        in_flight = NOTHING_IN_FLIGHT;
    memset(&start.keys, 0xD6, sizeof start.keys);
    if (start.version == USMP_WIRE_2)
        memset(start.keys.gateway_to_device, 0x6D, sizeof start.keys.gateway_to_device);
    memcpy(start.session_id, session_id, sizeof session_id);
    fuzz.now = 1000000;
    fuzz.peer_seq = 0;
    fuzz.keys = start.keys;
    memset(&fuzz.old_keys, 0x77, sizeof fuzz.old_keys);
    usmp_session_begin(&fuzz.session, &owner, NULL, &start, fuzz.now);
    if (in_flight != SESSION_OK_IN_FLIGHT && start.role == USMP_GATEWAY && start.transport == USMP_UDP) {
        const uint8_t confirmation[] = {USMP_UTACK_MAGIC, USMP_UTACK_MAGIC, USMP_SESSION_OK, 0, 0, 0, 0};
        require(usmp_session_receive_utack(&fuzz.session, confirmation, sizeof confirmation, fuzz.now) ==
                USMP_SESSION_NOTHING);
    }
    put_in_flight(in_flight);
    return in_flight;
}

/* What stands behind the two magic bytes, or a right UTACK with some of it changed. Its size is returned. */
static size_t make_utack(struct input *input, uint8_t bytes[64])
{
    const struct usmp_outgoing *outgoing = &fuzz.session.outgoing;
    uint8_t how = input_byte(input);
    if (how >= 0xE0) {
        size_t size = input_byte(input) % 64;
        for (size_t index = 0; index < size; index++)
            bytes[index] = input_byte(input);
        return size;
    }
    uint8_t type = how & 1 ? input_byte(input) : outgoing->type;
    uint32_t seq = how & 2 ? outgoing->seq - 128 + input_byte(input) : outgoing->seq;
    struct usmp_utack_key key;
    const struct usmp_keys *keys = how & 4 ? &fuzz.old_keys : &fuzz.keys;
    usmp_utack_key_init(&key,
                        how & 8 ? (is_gateway() ? keys->device_to_gateway : keys->gateway_to_device) : our_key(keys));
    size_t size = usmp_utack_write_keyed(&key, type, seq, bytes);
    if (how & 16)
        bytes[USMP_UTACK_PLAIN_SIZE + input_byte(input) % USMP_UTACK_MAC_SIZE] ^= input_byte(input);
    if (how & 32)
        size = input_byte(input) % (USMP_UTACK_KEYED_SIZE + 1);
    if (how & 64) {
        memset(bytes + size, how, 20);
        size += input_byte(input) % 20;
    }
    return size;
}

/* Worked out by hand from the bytes, docs/protocol.md section 4. */
static bool is_right(const uint8_t *bytes, size_t size, enum in_flight in_flight)
{
    const struct usmp_outgoing *outgoing = &fuzz.session.outgoing;
    if (size < 7 || bytes[0] != 0xAC || bytes[1] != 0xAC || outgoing->type == 0 || bytes[2] != outgoing->type)
        return false;
    uint32_t seq = bytes[3] | (uint32_t)bytes[4] << 8 | (uint32_t)bytes[5] << 16 | (uint32_t)bytes[6] << 24;
    if (seq != outgoing->seq)
        return false;
    if (fuzz.session.version == USMP_WIRE_1)
        return true;
    if (size < 15)
        return false;
    bool is_old = outgoing->under_old_key;
    require(!is_old || in_flight == MESSAGE_UNDER_OLD_KEY || in_flight == FRAGMENT_UNDER_OLD_KEY);
    struct usmp_utack_key key;
    uint8_t expected[USMP_UTACK_KEYED_SIZE];
    usmp_utack_key_init(&key, our_key(is_old ? &fuzz.old_keys : &fuzz.keys));
    usmp_utack_write_keyed(&key, bytes[2], seq, expected);
    return memcmp(expected, bytes, sizeof expected) == 0;
}

static bool confirms(const uint8_t *bytes, size_t size)
{
    static const uint8_t confirmation[] = {0xAC, 0xAC, USMP_SESSION_OK, 0, 0, 0, 0};
    return size >= sizeof confirmation && memcmp(bytes, confirmation, sizeof confirmation) == 0 &&
           !fuzz.session.confirmed && fuzz.session.transport == USMP_UDP;
}

static enum usmp_session_verdict expected_of(uint8_t type)
{
    switch (type) {
    case USMP_DATA:
        return USMP_SESSION_SENT;
    case USMP_BYE:
        return USMP_SESSION_OVER;
    default:
        return USMP_SESSION_NOTHING;
    }
}

static void offer(struct input *input, enum in_flight in_flight)
{
    uint8_t bytes[64];
    size_t size = make_utack(input, bytes);
    uint8_t *exact = malloc(size > 0 ? size : 1); /* for a sanitizer to see a read past its end */
    require(exact != NULL);
    memcpy(exact, bytes, size);
    const struct usmp_session before = fuzz.session;
    bool right = is_right(exact, size, in_flight);
    bool confirmation = confirms(exact, size);
    enum usmp_session_verdict verdict = usmp_session_receive_utack(&fuzz.session, exact, size, fuzz.now);
    free(exact);
    if (confirmation) {
        require(verdict == USMP_SESSION_NOTHING && fuzz.session.confirmed);
    } else if (right) {
        require(verdict == expected_of(before.outgoing.type) && fuzz.session.outgoing.type == 0);
        require(before.outgoing.type != USMP_REKEY || memcmp(&before.keys, &fuzz.session.keys, sizeof fuzz.keys) != 0);
    } else {
        require(verdict == USMP_SESSION_NOT_AUTHENTIC || verdict == USMP_SESSION_UNEXPECTED);
        require(memcmp(&before, &fuzz.session, sizeof before) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (usmp_start() != NULL)
        abort();
    struct input input = {data, size};
    uint8_t how = input_byte(&input);
    enum in_flight in_flight = begin(how, input_byte(&input));
    for (int count = 0; count < UTACKS_MAX && !input_is_over(&input); count++)
        offer(&input, in_flight);
    usmp_session_wipe(&fuzz.session);
    return 0;
}
