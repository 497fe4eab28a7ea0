#include "usmp/text_source.h"

#include <assert.h>
#include <string.h>

#include "usmp/hex.h"

static enum source_verdict next_text(struct source *source, struct source_message *message)
{
    struct text_source *texts = (struct text_source *)source;
    if (texts->left == 0)
        return SOURCE_END;
    texts->left--;
    const char *text = *texts->texts++;
    size_t length = strlen(text);
    message->size = texts->hex ? length / 2 : length;
    assert(message->size <= sizeof message->bytes);
    if (!texts->hex) {
        memcpy(message->bytes, text, length);
        return SOURCE_MESSAGE;
    }
    bool decoded = hex_decode(text, length, message->bytes);
    assert(decoded);
    return SOURCE_MESSAGE;
}

void text_source_init(struct text_source *texts, char **first, size_t count, bool hex)
{
    *texts = (struct text_source){
        .source = {.next = next_text, .read = NULL, .descriptor = -1},
        .texts = first,
        .left = count,
        .hex = hex,
    };
}
