#include "device/window.h"

#define WINDOW_SIZE 64u

bool strict_window_had(const struct strict_window *window, uint32_t seq)
{
    if (seq > window->highest)
        return false;
    uint32_t below = window->highest - seq;
    return below >= WINDOW_SIZE || (window->seen >> below & 1u) != 0;
}

void strict_window_note(struct strict_window *window, uint32_t seq)
{
    if (seq > window->highest) {
        uint32_t shift = seq - window->highest;
        window->seen = shift < WINDOW_SIZE ? window->seen << shift : 0;
        window->highest = seq;
    }
    window->seen |= UINT64_C(1) << (window->highest - seq);
}
