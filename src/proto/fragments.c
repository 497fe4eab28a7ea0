#include <usmp/fragments.h>

#include <assert.h>

size_t usmp_fragment_count(size_t message_size)
{
    assert(message_size <= USMP_MESSAGE_MAX);
    return message_size == 0 ? 1 : (message_size + USMP_PLAINTEXT_MAX - 1) / USMP_PLAINTEXT_MAX;
}

struct usmp_fragment usmp_fragment_at(size_t message_size, size_t index)
{
    size_t count = usmp_fragment_count(message_size);
    assert(index < count);
    bool is_last = index == count - 1;
    size_t offset = index * USMP_PLAINTEXT_MAX;
    return (struct usmp_fragment){
        .offset = offset,
        .size = is_last ? message_size - offset : USMP_PLAINTEXT_MAX,
        .type = is_last ? USMP_DATA : USMP_DATA_FRAG,
    };
}
