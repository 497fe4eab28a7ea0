/* Compiler attributes of this room's interfaces. */
#ifndef CRYPTO_ATTRIBUTES_H
#define CRYPTO_ATTRIBUTES_H

#define CRYPTO_MUST_USE __attribute__((warn_unused_result))

#endif
