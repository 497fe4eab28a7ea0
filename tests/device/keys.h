/* The cryptography of a session, on libsodium and libcrypto only (docs/protocol.md sections 2 to 4). Failures of the
 * libraries themselves abort: this is a test's device. */
#ifndef TESTS_DEVICE_KEYS_H
#define TESTS_DEVICE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRICT_KEY_SIZE 32u
#define STRICT_SESSION_ID_SIZE 16u
#define STRICT_HMAC_SIZE 32u
#define STRICT_NONCE_SIZE 12u
#define STRICT_TAG_SIZE 16u
#define STRICT_SEALED_EXTRA (STRICT_NONCE_SIZE + STRICT_TAG_SIZE)
#define STRICT_UTACK_MAC 8u

enum strict_cipher { STRICT_AES_256_GCM, STRICT_CHACHA20_POLY1305 };

struct strict_handshake_secrets {
    uint8_t private_key[STRICT_KEY_SIZE];
    uint8_t public_key[STRICT_KEY_SIZE];
    uint8_t gateway_key[STRICT_KEY_SIZE]; /* public */
    uint8_t nonce[STRICT_KEY_SIZE];
};

struct strict_session_keys {
    uint8_t send[STRICT_KEY_SIZE]; /* wire 1: both are the same */
    uint8_t receive[STRICT_KEY_SIZE];
};

void strict_public_key(const uint8_t private_key[STRICT_KEY_SIZE], uint8_t public_key[STRICT_KEY_SIZE]);

/* HELLO_ACK's HMAC with type 3 and the device id as `id`, SESSION_OK's with type 4 and the session id. */
void strict_handshake_hmac(const uint8_t *psk, size_t psk_size, uint8_t version, uint8_t type,
                           const struct strict_handshake_secrets *handshake, const uint8_t *id, size_t id_size,
                           uint8_t out[STRICT_HMAC_SIZE]);

/* False: the shared secret is all zeros. */
bool strict_session_keys_derive(uint8_t version, const struct strict_handshake_secrets *handshake,
                                struct strict_session_keys *keys);

/* For the side that sent the REKEY; the other side calls it with the keys the other way round. */
void strict_session_keys_renew(struct strict_session_keys *keys, const uint8_t salt[STRICT_KEY_SIZE],
                               const uint8_t session_id[STRICT_SESSION_ID_SIZE]);

/* nonce, ciphertext and tag of `size` bytes; writes size + STRICT_SEALED_EXTRA. */
void strict_seal(enum strict_cipher cipher, const uint8_t key[STRICT_KEY_SIZE],
                 const uint8_t session_id[STRICT_SESSION_ID_SIZE], uint32_t seq, const uint8_t *aad, size_t aad_size,
                 const uint8_t *plain, size_t size, uint8_t *sealed);

/* `size` is the sealed one; writes size - STRICT_SEALED_EXTRA bytes, and nothing unless it is true. */
bool strict_open(enum strict_cipher cipher, const uint8_t key[STRICT_KEY_SIZE],
                 const uint8_t session_id[STRICT_SESSION_ID_SIZE], uint32_t seq, const uint8_t *aad, size_t aad_size,
                 const uint8_t *sealed, size_t size, uint8_t *plain);

void strict_utack_mac(const uint8_t key[STRICT_KEY_SIZE], const uint8_t *utack, uint8_t out[STRICT_UTACK_MAC]);

bool strict_equal(const uint8_t *a, const uint8_t *b, size_t size);
void strict_wipe(void *bytes, size_t size);

#endif
