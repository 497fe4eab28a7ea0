#ifndef TESTS_PROTO_RECORDED_H
#define TESTS_PROTO_RECORDED_H

/* The handshake of the second transcripts of tests/data/vectors/wire1.json and wire2.json, as recorded with the released
 * SDKs 0.5.1 and 1.2.2. Both have the same inputs. Included after support/hex.h. */

#include <usmp/transcript.h>

#define RECORDED_PSK "5630548e072683045a8ddb452a6c038da25a60a01c5810e7e3439f7bc57f640d7f67f0021c4757f1a9427e8bb4a48a45"

#define RECORDED_DEVICE_ID "539a33137262"

#define RECORDED_DEVICE_PRIVATE_KEY "aa9cd8c21144ae18b0346c223d8fee142a40922ce8353fad75867cc4742e3b2d"

#define RECORDED_GATEWAY_PRIVATE_KEY "d6ebec0d03f9e2ffa8efda8673da0a6f7e3acb866e91bacb9f6190b2ca9b84c7"

#define RECORDED_NONCE "80c6677c940a60e12ef6c91dd8403a7e042e475636ea015da3b75208b26c2467"

#define RECORDED_SESSION_ID "2eeebd76aafa9e47cd91db41357e1161"

static const char *const recorded_hello[] = {
    [1] = "cdab01010000000026009d83539a331372624b4db8311d023858ca7cd6e5a9ea6b4c245bba693aa665b5abaa50d12c7f"
          "fe2b",
    [2] = "cdab02010000000026002d36539a331372624b4db8311d023858ca7cd6e5a9ea6b4c245bba693aa665b5abaa50d12c7f"
          "fe2b",
};

static const char *const recorded_challenge[] = {
    [1] = "cdab0102000000004000af6e80c6677c940a60e12ef6c91dd8403a7e042e475636ea015da3b75208b26c246757dc4a40"
          "f10373f85181c0d26dbff57a7b3c6e9004a14447285b0c18bb7bda2d",
    [2] = "cdab0202000000004000eb9b80c6677c940a60e12ef6c91dd8403a7e042e475636ea015da3b75208b26c246757dc4a40"
          "f10373f85181c0d26dbff57a7b3c6e9004a14447285b0c18bb7bda2d",
};

static const char *const recorded_hello_ack[] = {
    [1] = "cdab0103000000002000e8f0162db554fb737bcbe4d85ddd3e6687c7eabdfef9e5a17bc6812a136281ff6e08",
    [2] = "cdab0203020000002000ad5aed96d6f037a11f970ce3e56dbb40b655f893c3346f5df63424d0e6ebf0c92576",
};

static const char *const recorded_session_ok[] = {
    [1] = "cdab010400000000300021b82eeebd76aafa9e47cd91db41357e116153f679c0464cbb6767d45caee957144348b36e7f"
          "fff54623a1cbe76eddf67839",
    [2] = "cdab0204000000003000dadb2eeebd76aafa9e47cd91db41357e11610e2b571f4bc662863bb8cef25ff0120924aca01d"
          "8f42234ca4439e6fa2860402",
};

static const char *const recorded_device_to_gateway[] = {
    [1] = "06805ac4548583eaefe88cc1d6a262f59a9ba3f705c07674a34ed7dc6aa1504f",
    [2] = "83e78edf84c562065468f1f3d96ad8f192d87e955bc940747b08c0cc45b69280",
};

static const char *const recorded_gateway_to_device[] = {
    [1] = "06805ac4548583eaefe88cc1d6a262f59a9ba3f705c07674a34ed7dc6aa1504f",
    [2] = "7448a8d772e471d9d942d7e173405037f31c4855c234bed60c872030ecc855a9",
};

#define RECORDED_REKEY_SALT "a0a04f7060a2bc0274f523480852b49c37f322b033a7d32da780b558b5d32817"

#define RECORDED_REKEY_NEW_DEVICE_TO_GATEWAY_KEY "3bfb46b916984b6fa45bc7c0eb481a1fc205087bc1965cf9c61e74cfb9a52e46"

#define RECORDED_REKEY_NEW_GATEWAY_TO_DEVICE_KEY "993bae7dfdef80740498600862003604510b7f0c62131972238514671778085b"

#define RECORDED_REKEY_FRAME                                                                                           \
    "cdab020b110000003c003617110000002eeebd76aafa9e47e6e381af377ff5236bf974f4c511a0ea749b9f27443b4a0a"                 \
    "9001f3eeb751b77f089b644cdb476f2ded950cefd1e5e75c"

/* What both ends have seen. */
static inline struct usmp_transcript recorded_transcript(uint8_t version)
{
    struct usmp_transcript transcript = {.version = version};
    uint8_t frame[USMP_FRAME_MAX];
    hex_read(recorded_hello[version], frame, sizeof frame);
    memcpy(transcript.device_public, frame + 12 + 6, sizeof transcript.device_public);
    hex_read(recorded_challenge[version], frame, sizeof frame);
    memcpy(transcript.nonce, frame + 12, sizeof transcript.nonce);
    memcpy(transcript.gateway_public, frame + 12 + 32, sizeof transcript.gateway_public);
    return transcript;
}

#endif
