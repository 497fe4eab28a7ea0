/* A device by hand, for targets that fuzz a whole shard: makes single frames, keeps what it heard last, and decides
 * nothing. It knows libusmp's lower layers only.
 */
#ifndef FUZZ_CORRESPONDENT_H
#define FUZZ_CORRESPONDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/keys.h>
#include <usmp/psk.h>
#include <usmp/record.h>

#define CORRESPONDENT_GENERATIONS 2u /* key pairs: a device that restarted has another one */

struct correspondent {
    uint8_t id[USMP_DEVICE_ID_SIZE];
    uint8_t version;
    enum usmp_suite suite;
    struct usmp_psk psk;
    uint8_t generation; /* of the HELLO that left last */
    bool has_cookie;
    bool challenged;
    bool connected; /* SESSION_OK came; the keys are there */
    uint8_t cookie[USMP_COOKIE_SIZE];
    struct usmp_challenge challenge;
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    struct usmp_keys keys;
    uint32_t next_seq;
    uint8_t heard_type; /* of the encrypted frame that came last, 0: none */
    uint32_t heard_seq;
};

void correspondent_begin(struct correspondent *correspondent, uint8_t number, uint8_t version, enum usmp_suite suite,
                         const char *psk);

/* Each writes a frame and returns its size. */
size_t correspondent_hello(struct correspondent *correspondent, uint8_t generation, const uint8_t *cookie,
                           uint8_t *frame);
/* For the CHALLENGE that came last; `right`: with the PSK. */
size_t correspondent_hello_ack(const struct correspondent *correspondent, bool right, uint8_t *frame);
size_t correspondent_record(const struct correspondent *correspondent, uint8_t type, uint32_t seq,
                            const uint8_t *plaintext, size_t size, uint8_t *frame);
size_t correspondent_utack(const struct correspondent *correspondent, uint8_t type, uint32_t seq, bool keyed,
                           uint8_t *bytes);

/* A frame of the gateway arrives; what is not for this device, or not right, changes nothing. */
void correspondent_hear(struct correspondent *correspondent, const struct usmp_frame *frame);

#endif
