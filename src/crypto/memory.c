#include "crypto/memory.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define STACK_WIPED 16384

#if __has_attribute(zero_call_used_regs)
#define CLEARS_REGISTERS __attribute__((zero_call_used_regs("all")))
#else
#define CLEARS_REGISTERS
#endif

void crypto_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}

CLEARS_REGISTERS __attribute__((noinline)) void crypto_wipe_stack(void)
{
    uint8_t left_over[STACK_WIPED];
    explicit_bzero(left_over, sizeof left_over);
}

bool crypto_equal(const void *one, const void *other, size_t size)
{
    return sodium_memcmp(one, other, size) == 0;
}
