/* A stand-in for X25519, which would take nine tenths of the time: products of 64-bit numbers in place of points. It
 * commutes, as the simulation needs it, its zero is refused, and it is no cryptography.
 *
 * It stands in for libsodium's functions, which gateway and devices of both kinds use, in programs that are linked with
 * LINKER:--wrap=crypto_scalarmult and …_base. The self-test at the start still has the real ones. */
#ifndef TESTS_HOSTILE_X25519_MODEL_H
#define TESTS_HOSTILE_X25519_MODEL_H

/* From now on. */
void x25519_model_use(void);

#endif
