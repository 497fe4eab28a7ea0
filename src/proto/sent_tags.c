#include "proto/sent_tags.h"

#include <assert.h>
#include <string.h>

#define ENTRIES (sizeof((struct usmp_sent_tags *)0)->seq / sizeof(uint32_t))
#define TAG_PART sizeof((struct usmp_sent_tags *)0)->tag[0]

_Static_assert(ENTRIES == 64, "`used` has a bit for each");

void usmp_sent_tags_init(struct usmp_sent_tags *tags)
{
    *tags = (struct usmp_sent_tags){0};
}

void usmp_sent_tags_remember(struct usmp_sent_tags *tags, uint32_t seq, const uint8_t *frame, size_t size)
{
    assert(size >= USMP_HEADER_SIZE + USMP_RECORD_OVERHEAD);
    size_t entry = seq % ENTRIES;
    tags->used |= UINT64_C(1) << entry;
    tags->seq[entry] = seq;
    memcpy(tags->tag[entry], frame + size - USMP_TAG_SIZE, TAG_PART);
}

bool usmp_sent_tags_know(const struct usmp_sent_tags *tags, const struct usmp_frame *frame)
{
    size_t entry = frame->seq % ENTRIES;
    return (tags->used >> entry & 1) && tags->seq[entry] == frame->seq &&
           memcmp(tags->tag[entry], frame->bytes + frame->size - USMP_TAG_SIZE, TAG_PART) == 0;
}
