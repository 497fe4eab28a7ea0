#include <usmp/replay_window.h>

#include <assert.h>

_Static_assert(USMP_REPLAY_WINDOW == 64, "the bitmap is the window");

void usmp_replay_window_init(struct usmp_replay_window *window)
{
    *window = (struct usmp_replay_window){0};
}

enum usmp_replay_verdict usmp_replay_window_check(const struct usmp_replay_window *window, uint32_t seq)
{
    if (seq > window->highest)
        return USMP_REPLAY_NEW;
    uint32_t age = window->highest - seq;
    if (age >= USMP_REPLAY_WINDOW)
        return USMP_REPLAY_TOO_OLD;
    return window->bitmap >> age & 1 ? USMP_REPLAY_DUPLICATE : USMP_REPLAY_NEW;
}

void usmp_replay_window_accept(struct usmp_replay_window *window, uint32_t seq)
{
    assert(usmp_replay_window_check(window, seq) == USMP_REPLAY_NEW);
    if (seq > window->highest) {
        uint32_t ahead = seq - window->highest;
        window->bitmap = ahead < USMP_REPLAY_WINDOW ? window->bitmap << ahead : 0;
        window->highest = seq;
    }
    window->bitmap |= UINT64_C(1) << (window->highest - seq);
}
