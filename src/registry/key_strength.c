#include "registry/key_strength.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Enough is enough: no need to read on, and the search for repeats stays short. */
#define ENOUGH_BITS 160.0

/* Shorter ones turn up in random text, too. */
#define REPEAT_MIN 3u
#define RUN_MIN 3u
#define WORD_MIN 4u
#define DELIMITED_WORD_MIN 2u

/* A common English word has about 11 bits and six letters. */
#define BITS_PER_WORD_LETTER 2.0
#define BITS_PER_REPEATED_SIGN 1.0

#define ID_DIGITS (2 * REGISTRY_ID_SIZE)

struct text {
    const uint8_t *bytes;
    size_t length;
    double bits_per_byte; /* where no pattern is seen */
    bool hex;
};

static bool is_lower_hex(const struct text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        if (!isxdigit(text->bytes[i]) || isupper(text->bytes[i])) {
            return false;
        }
    }
    return true;
}

static bool is_upper_hex(const struct text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        if (!isxdigit(text->bytes[i]) || islower(text->bytes[i])) {
            return false;
        }
    }
    return true;
}

/* How many characters somebody chose from, to judge by those that occur. */
static double alphabet_size(const struct text *text)
{
    bool lower = false;
    bool upper = false;
    bool digit = false;
    bool sign = false;
    bool other = false;
    for (size_t i = 0; i < text->length; i++) {
        int byte = text->bytes[i];
        lower = lower || islower(byte);
        upper = upper || isupper(byte);
        digit = digit || isdigit(byte);
        sign = sign || (byte < 0x80 && !isalnum(byte));
        other = other || byte >= 0x80;
    }
    if (text->hex && (lower || upper)) {
        return 16;
    }
    /* Of the bytes of a letter beyond ASCII only the last one varies much. */
    return 26.0 * lower + 26.0 * upper + 10.0 * digit + 33.0 * sign + 32.0 * other;
}

static size_t count_distinct(const struct text *text)
{
    bool seen[256] = {false};
    size_t distinct = 0;
    for (size_t i = 0; i < text->length; i++) {
        distinct += !seen[text->bytes[i]];
        seen[text->bytes[i]] = true;
    }
    return distinct;
}

static double bits_per_byte(const struct text *text)
{
    double alphabet = alphabet_size(text);
    double distinct = (double)count_distinct(text);
    /* Random text of this length would be expected to use so many of the alphabet's characters. */
    double expected = alphabet * (1 - pow(1 - 1 / alphabet, (double)text->length));
    return log2(distinct < 0.6 * expected ? distinct : alphabet);
}

/* Bytes at `at` that spell digits `first` and on of the id, with or without a sign between two pairs; 0 for none. */
static size_t length_of_id(const struct text *text, size_t at, const uint8_t *id, size_t first)
{
    static const char digits[] = "0123456789abcdef";
    size_t position = at;
    for (size_t i = first; i < ID_DIGITS; i++) {
        if (i > first && i % 2 == 0 && position < text->length && ispunct(text->bytes[position])) {
            position++;
        }
        char wanted = digits[i % 2 == 0 ? id[i / 2] >> 4 : id[i / 2] & 15];
        if (position == text->length || tolower(text->bytes[position]) != wanted) {
            return 0;
        }
        position++;
    }
    return position - at;
}

/* The whole id, or its last three bytes, which people use as a short name. */
static size_t length_of_known(const struct text *text, size_t at, const uint8_t *id)
{
    if (id == NULL) {
        return 0;
    }
    size_t whole = length_of_id(text, at, id, 0);
    return whole > 0 ? whole : length_of_id(text, at, id, ID_DIGITS / 2);
}

/* Bytes at `at` that stand before `at` already, in whatever case. */
static size_t length_of_repeat(const struct text *text, size_t at)
{
    size_t longest = 0;
    for (size_t before = 0; before < at; before++) {
        size_t length = 0;
        while (at + length < text->length &&
               tolower(text->bytes[before + length]) == tolower(text->bytes[at + length])) {
            length++;
        }
        longest = length > longest ? length : longest;
    }
    return longest < REPEAT_MIN ? 0 : longest;
}

/* Bytes at `at` that are equal, or count up or down. */
static size_t length_of_run(const struct text *text, size_t at)
{
    if (text->length - at < RUN_MIN) {
        return 0;
    }
    int step = text->bytes[at + 1] - text->bytes[at];
    if (step < -1 || step > 1) {
        return 0;
    }
    size_t length = 2;
    while (at + length < text->length && text->bytes[at + length] - text->bytes[at + length - 1] == step) {
        length++;
    }
    return length < RUN_MIN ? 0 : length;
}

static bool is_delimiter(const struct text *text, size_t at)
{
    return at >= text->length || !isalnum(text->bytes[at]);
}

static bool has_vowel(const struct text *text, size_t at, size_t length)
{
    for (size_t i = at; i < at + length; i++) {
        if (strchr("aeiouy", tolower(text->bytes[i])) != NULL) {
            return true;
        }
    }
    return false;
}

/* Letters at `at` that could be a word: small ones, the first one perhaps a capital, or capitals only; a short word is
 * told from random letters by what stands around it. */
static size_t length_of_word(const struct text *text, size_t at)
{
    if (text->hex || !isalpha(text->bytes[at])) {
        return 0;
    }
    size_t length = 1;
    bool capitals = at + 1 < text->length && isupper(text->bytes[at]) && isupper(text->bytes[at + 1]);
    while (at + length < text->length &&
           (capitals ? isupper(text->bytes[at + length]) : islower(text->bytes[at + length]))) {
        length++;
    }
    bool delimited = (at == 0 || is_delimiter(text, at - 1)) && is_delimiter(text, at + length);
    size_t least = delimited ? DELIMITED_WORD_MIN : WORD_MIN;
    return length >= least && (delimited || has_vowel(text, at, length)) ? length : 0;
}

static bool is_repeated_sign(const struct text *text, size_t at)
{
    return !isalnum(text->bytes[at]) && memchr(text->bytes, text->bytes[at], at) != NULL;
}

unsigned registry_key_strength(const uint8_t *bytes, size_t length, const uint8_t id[REGISTRY_ID_SIZE])
{
    if (length == 0) {
        return 0;
    }
    struct text text = {.bytes = bytes, .length = length};
    text.hex = is_lower_hex(&text) || is_upper_hex(&text);
    text.bits_per_byte = bits_per_byte(&text);
    double bits = 0;
    size_t at = 0;
    while (at < length && bits < ENOUGH_BITS) {
        size_t skip;
        if ((skip = length_of_known(&text, at, id)) > 0) {
            at += skip;
        } else if ((skip = length_of_repeat(&text, at)) > 0 || (skip = length_of_run(&text, at)) > 0) {
            bits += text.bits_per_byte + log2((double)skip);
            at += skip;
        } else if ((skip = length_of_word(&text, at)) > 0) {
            bits += BITS_PER_WORD_LETTER * (double)skip;
            at += skip;
        } else {
            bits += is_repeated_sign(&text, at) ? BITS_PER_REPEATED_SIGN : text.bits_per_byte;
            at++;
        }
    }
    return (unsigned)bits;
}
