#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/reassembly.h>
#include <usmp/replay_window.h>

#include "platform/child.h"

#define FRAG USMP_DATA_FRAG
#define DATA USMP_DATA

/* A frame, what is to come of it, and the same in short words. */
struct frame {
    uint8_t type;
    uint32_t seq;
    enum usmp_reassembly_action action;
    bool drops_partial;
};

#define WHOLE USMP_REASSEMBLY_WHOLE, false
#define BEGIN USMP_REASSEMBLY_BEGIN, false
#define APPEND USMP_REASSEMBLY_APPEND, false
#define COMPLETE USMP_REASSEMBLY_COMPLETE, false
#define CONTROL USMP_REASSEMBLY_CONTROL, false
#define DROP USMP_REASSEMBLY_DROP, false
#define BROKEN USMP_REASSEMBLY_BROKEN, false
#define WHOLE_INSTEAD USMP_REASSEMBLY_WHOLE, true
#define BEGIN_INSTEAD USMP_REASSEMBLY_BEGIN, true
#define CONTROL_INSTEAD USMP_REASSEMBLY_CONTROL, true
#define DROP_ALL USMP_REASSEMBLY_DROP, true

/* Every frame is asked about twice before it is accepted: asking must change nothing. */
static void run(enum usmp_transport transport, const struct frame *frames, size_t count)
{
    struct usmp_reassembly reassembly;
    memset(&reassembly, 0xEE, sizeof reassembly);
    usmp_reassembly_init(&reassembly);
    for (size_t i = 0; i < count; i++) {
        const struct usmp_reassembly before = reassembly;
        struct usmp_reassembly_step step;
        for (int asked = 0; asked < 2; asked++) {
            step = usmp_reassembly_check(&reassembly, transport, frames[i].type, frames[i].seq);
            if (step.action != frames[i].action || step.drops_partial != frames[i].drops_partial)
                fail_msg("frame %zu: action %d, drops_partial %d", i, (int)step.action, step.drops_partial);
        }
        assert_memory_equal(&before, &reassembly, sizeof before);
        if (step.action == USMP_REASSEMBLY_BROKEN)
            return;
        usmp_reassembly_accept(&reassembly, transport, frames[i].type, frames[i].seq);
        bool is_open = step.action == USMP_REASSEMBLY_BEGIN || step.action == USMP_REASSEMBLY_APPEND;
        bool was_open = usmp_reassembly_is_partial(&before) && !step.drops_partial;
        bool leaves_it = step.action == USMP_REASSEMBLY_WHOLE || step.action == USMP_REASSEMBLY_DROP ||
                         step.action == USMP_REASSEMBLY_CONTROL;
        assert_int_equal(usmp_reassembly_is_partial(&reassembly), is_open || (was_open && leaves_it));
    }
}

#define RUN(transport, ...)                                                                                            \
    do {                                                                                                               \
        const struct frame frames[] = {__VA_ARGS__};                                                                   \
        run(transport, frames, sizeof frames / sizeof *frames);                                                        \
    } while (0)

static void test_messages_of_one_to_four_frames(void **state)
{
    (void)state;
    for (int transport = USMP_TCP; transport <= USMP_UDP; transport++) {
        RUN((enum usmp_transport)transport, {DATA, 0, WHOLE}, {DATA, 1, WHOLE}, {FRAG, 2, BEGIN}, {DATA, 3, COMPLETE},
            {FRAG, 4, BEGIN}, {FRAG, 5, APPEND}, {DATA, 6, COMPLETE}, {FRAG, 7, BEGIN}, {FRAG, 8, APPEND},
            {FRAG, 9, APPEND}, {DATA, 10, COMPLETE}, {DATA, 11, WHOLE});
    }
}

static void test_control_frames_between_messages(void **state)
{
    (void)state;
    for (int transport = USMP_TCP; transport <= USMP_UDP; transport++) {
        RUN((enum usmp_transport)transport, {USMP_PING, 0, CONTROL}, {FRAG, 1, BEGIN}, {DATA, 2, COMPLETE},
            {USMP_PONG, 3, CONTROL}, {DATA, 4, WHOLE}, {USMP_REKEY, 5, CONTROL}, {USMP_BYE, 6, CONTROL});
    }
}

static void test_tcp_ends_at_anything_wrong(void **state)
{
    (void)state;
    RUN(USMP_TCP, {FRAG, 0, BEGIN}, {FRAG, 1, APPEND}, {FRAG, 2, APPEND}, {FRAG, 3, BROKEN});
    RUN(USMP_TCP, {FRAG, 0, BEGIN}, {USMP_PING, 1, BROKEN});
    RUN(USMP_TCP, {FRAG, 0, BEGIN}, {USMP_PONG, 1, BROKEN});
    RUN(USMP_TCP, {FRAG, 0, BEGIN}, {USMP_REKEY, 1, BROKEN});
    RUN(USMP_TCP, {FRAG, 0, BEGIN}, {DATA, 2, BROKEN});
    RUN(USMP_TCP, {FRAG, 5, BEGIN}, {FRAG, 5, BROKEN});
    RUN(USMP_TCP, {FRAG, 5, BEGIN}, {DATA, 4, BROKEN});
}

/* BYE ends a session, inside a fragmented message too. */
static void test_bye_inside_a_message(void **state)
{
    (void)state;
    RUN(USMP_TCP, {FRAG, 0, BEGIN}, {USMP_BYE, 1, CONTROL});
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {USMP_BYE, 1, CONTROL_INSTEAD});
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {USMP_BYE, UINT32_MAX, CONTROL_INSTEAD});
    RUN(USMP_UDP, {USMP_BYE, UINT32_MAX, CONTROL});
}

static void test_udp_a_gap_begins_anew(void **state)
{
    (void)state;
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {FRAG, 2, BEGIN_INSTEAD}, {DATA, 3, COMPLETE});
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {DATA, 2, WHOLE_INSTEAD}, {DATA, 3, WHOLE});
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {FRAG, 1, APPEND}, {FRAG, 9, BEGIN_INSTEAD}, {FRAG, 10, APPEND}, {FRAG, 11, APPEND},
        {DATA, 12, COMPLETE});
}

/* The continuation of a dropped message comes late: dropped up to its DATA, and what is behind it is not. */
static void test_udp_a_tail_is_never_a_message(void **state)
{
    (void)state;
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {DATA, 2, WHOLE_INSTEAD}, {DATA, 1, DROP}, {DATA, 3, WHOLE});
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {DATA, 9, WHOLE_INSTEAD}, {FRAG, 1, DROP}, {FRAG, 2, DROP}, {DATA, 3, DROP},
        {DATA, 4, WHOLE}, {FRAG, 10, BEGIN}, {DATA, 11, COMPLETE});
    /* While the next message is coming in, which it leaves alone. */
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {FRAG, 5, BEGIN_INSTEAD}, {FRAG, 1, DROP}, {FRAG, 6, APPEND}, {DATA, 2, DROP},
        {DATA, 7, COMPLETE});
    /* Two dropped messages at once. */
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {FRAG, 10, BEGIN_INSTEAD}, {FRAG, 20, BEGIN_INSTEAD}, {DATA, 11, DROP},
        {DATA, 1, DROP}, {DATA, 21, COMPLETE});
}

static void test_udp_a_fourth_fragment_drops_all(void **state)
{
    (void)state;
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {FRAG, 1, APPEND}, {FRAG, 2, APPEND}, {FRAG, 3, DROP_ALL}, {FRAG, 4, DROP},
        {FRAG, 5, DROP}, {DATA, 6, DROP}, {DATA, 7, WHOLE});
    RUN(USMP_UDP, {FRAG, 0, BEGIN}, {FRAG, 1, APPEND}, {FRAG, 2, APPEND}, {FRAG, 3, DROP_ALL}, {FRAG, 8, BEGIN},
        {DATA, 9, COMPLETE}, {DATA, 4, DROP});
}

/* SDKs up to 1.0 let a PING of another task in between the fragments: what comes behind it is a tail. */
static void test_udp_a_control_frame_inside_a_message(void **state)
{
    (void)state;
    const uint8_t controls[] = {USMP_PING, USMP_PONG, USMP_REKEY};
    for (size_t i = 0; i < sizeof controls; i++) {
        RUN(USMP_UDP, {FRAG, 0, BEGIN}, {controls[i], 1, CONTROL_INSTEAD}, {FRAG, 2, DROP}, {DATA, 3, DROP},
            {DATA, 4, WHOLE});
        RUN(USMP_UDP, {FRAG, 0, BEGIN}, {controls[i], 1, CONTROL_INSTEAD}, {controls[i], 2, CONTROL}, {DATA, 3, DROP},
            {DATA, 4, WHOLE});
        /* Behind a gap it is no part of the message's place: a message of its own follows. */
        RUN(USMP_UDP, {FRAG, 0, BEGIN}, {controls[i], 2, CONTROL_INSTEAD}, {DATA, 3, WHOLE}, {DATA, 1, DROP});
    }
}

/* Sent before the partial message began, given up by its sender, arrived now. */
static void test_udp_a_late_copy_leaves_the_message_alone(void **state)
{
    (void)state;
    RUN(USMP_UDP, {FRAG, 5, BEGIN}, {DATA, 3, WHOLE}, {DATA, 6, COMPLETE});
    RUN(USMP_UDP, {FRAG, 5, BEGIN}, {USMP_PING, 3, CONTROL}, {DATA, 6, COMPLETE});
    RUN(USMP_UDP, {FRAG, 5, BEGIN}, {FRAG, 2, DROP}, {DATA, 3, DROP}, {DATA, 4, WHOLE}, {DATA, 6, COMPLETE});
}

/* As far back as the replay window lets anything through. */
static void test_udp_tails_are_remembered_for_a_window(void **state)
{
    (void)state;
    RUN(USMP_UDP, {FRAG, 100, BEGIN}, {DATA, 164, WHOLE_INSTEAD}, {DATA, 101, DROP}, {DATA, 102, WHOLE});
    RUN(USMP_UDP, {FRAG, 100, BEGIN}, {FRAG, 163, BEGIN_INSTEAD}, {DATA, 165, WHOLE_INSTEAD}, {DATA, 101, DROP},
        {DATA, 164, DROP}, {DATA, 166, WHOLE});
    RUN(USMP_UDP, {FRAG, 100, BEGIN}, {FRAG, 400, BEGIN_INSTEAD}, {DATA, 402, WHOLE_INSTEAD}, {DATA, 401, DROP},
        {DATA, 399, WHOLE}, {DATA, 403, WHOLE});
    RUN(USMP_UDP, {FRAG, 100, BEGIN}, {FRAG, 166, BEGIN_INSTEAD}, {DATA, 168, WHOLE_INSTEAD}, {DATA, 165, WHOLE});
    /* Further back nothing is known, and nothing is delivered that might be a tail. */
    RUN(USMP_UDP, {FRAG, 400, BEGIN}, {DATA, 402, WHOLE_INSTEAD}, {DATA, 337, DROP}, {DATA, 338, WHOLE});
    RUN(USMP_UDP, {FRAG, 400, BEGIN}, {DATA, 402, WHOLE_INSTEAD}, {FRAG, 337, DROP}, {DATA, 338, DROP},
        {DATA, 339, WHOLE});
    RUN(USMP_UDP, {FRAG, 400, BEGIN}, {DATA, 402, WHOLE_INSTEAD}, {FRAG, 300, DROP}, {DATA, 301, DROP},
        {DATA, 401, DROP});
}

static void test_the_last_numbers(void **state)
{
    (void)state;
    for (int transport = USMP_TCP; transport <= USMP_UDP; transport++) {
        RUN((enum usmp_transport)transport, {FRAG, UINT32_MAX - 4, BEGIN}, {FRAG, UINT32_MAX - 3, APPEND},
            {FRAG, UINT32_MAX - 2, APPEND}, {DATA, UINT32_MAX - 1, COMPLETE}, {USMP_BYE, UINT32_MAX, CONTROL});
    }
    RUN(USMP_UDP, {FRAG, UINT32_MAX - 3, BEGIN}, {USMP_PING, UINT32_MAX - 1, CONTROL_INSTEAD},
        {DATA, UINT32_MAX - 2, DROP});
    RUN(USMP_UDP, {FRAG, UINT32_MAX - 2, BEGIN}, {USMP_PING, UINT32_MAX - 1, CONTROL_INSTEAD},
        {USMP_BYE, UINT32_MAX, CONTROL});
}

/* A sender that waits for each acknowledgement and gives up now and then, and a link that loses frames and brings
 * copies late: whatever the receiver takes for a message is one that was sent, and every one that was acknowledged in
 * all its frames arrives, once. A frame says which message it is of, which part, and of how many.
 * One thing is left out, since no receiver can tell it: a fragment that was given up, but arrived before any later
 * frame, is followed by the next message as by its own next part. */
enum {
    MESSAGES = 3000,
    LATE = 8,
};

struct sent_frame {
    uint32_t seq;
    uint8_t type;
    uint16_t message;
    uint8_t part;
    uint8_t parts;
};

struct receiver {
    struct usmp_replay_window window;
    struct usmp_reassembly reassembly;
    uint16_t partial_message;
    uint8_t partial_parts;
    uint8_t arrived[MESSAGES];
};

static void deliver(struct receiver *receiver, const struct sent_frame *frame, uint8_t collected)
{
    assert_int_equal(collected, frame->parts);
    assert_int_equal(frame->part, frame->parts - 1);
    receiver->arrived[frame->message]++;
}

static void receive(struct receiver *receiver, const struct sent_frame *frame)
{
    if (usmp_replay_window_check(&receiver->window, frame->seq) != USMP_REPLAY_NEW)
        return;
    struct usmp_reassembly_step step = usmp_reassembly_check(&receiver->reassembly, USMP_UDP, frame->type, frame->seq);
    usmp_replay_window_accept(&receiver->window, frame->seq);
    usmp_reassembly_accept(&receiver->reassembly, USMP_UDP, frame->type, frame->seq);
    switch (step.action) {
    case USMP_REASSEMBLY_WHOLE:
        deliver(receiver, frame, 1);
        break;
    case USMP_REASSEMBLY_BEGIN:
        assert_int_equal(frame->part, 0);
        receiver->partial_message = frame->message;
        receiver->partial_parts = 1;
        break;
    case USMP_REASSEMBLY_APPEND:
        assert_int_equal(frame->message, receiver->partial_message);
        assert_int_equal(frame->part, receiver->partial_parts);
        receiver->partial_parts++;
        break;
    case USMP_REASSEMBLY_COMPLETE:
        assert_int_equal(frame->message, receiver->partial_message);
        deliver(receiver, frame, (uint8_t)(receiver->partial_parts + 1));
        break;
    case USMP_REASSEMBLY_CONTROL:
    case USMP_REASSEMBLY_DROP:
        break;
    case USMP_REASSEMBLY_BROKEN:
        fail_msg("UDP breaks nothing");
    }
}

static void run_link(unsigned seed)
{
    static struct receiver receiver;
    memset(&receiver, 0, sizeof receiver);
    usmp_replay_window_init(&receiver.window);
    usmp_reassembly_init(&receiver.reassembly);
    srand(seed);
    struct sent_frame late[LATE];
    size_t late_count = 0;
    uint32_t seq = 0;
    for (uint16_t message = 0; message < MESSAGES; message++) {
        uint8_t parts = (uint8_t)(1 + rand() % 4);
        bool given_up = false;
        for (uint8_t part = 0; part < parts && !given_up; part++, seq++) {
            const struct sent_frame frame = {seq, part + 1 == parts ? DATA : FRAG, message, part, parts};
            given_up = rand() % 12 == 0;
            if (!given_up || (frame.type == DATA && rand() % 2 == 0))
                receive(&receiver, &frame); /* given up although it came: all its UTACKs were lost */
            else if (late_count < LATE)
                late[late_count++] = frame;
            if (!given_up && rand() % 9 == 0)
                receive(&receiver, &frame);
            if (!given_up && part == 0 && late_count > 0 && rand() % 2 == 0)
                receive(&receiver, &late[--late_count]);
        }
        if (!given_up)
            assert_int_equal(receiver.arrived[message], 1);
    }
    for (size_t message = 0; message < MESSAGES; message++)
        assert_true(receiver.arrived[message] <= 1);
}

static void test_udp_over_a_bad_link(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 100; seed++)
        run_link(seed);
}

struct misuse {
    uint8_t type;
    uint32_t seq;
    bool accept;
};

static int misuse(void *context)
{
    const struct misuse *misuse = context;
    struct usmp_reassembly reassembly;
    usmp_reassembly_init(&reassembly);
    usmp_reassembly_accept(&reassembly, USMP_TCP, FRAG, 0);
    if (misuse->accept)
        usmp_reassembly_accept(&reassembly, USMP_TCP, misuse->type, misuse->seq);
    else
        return (int)usmp_reassembly_check(&reassembly, USMP_UDP, misuse->type, misuse->seq).action;
    return 0;
}

static void test_misuse_stops_the_program(void **state)
{
    (void)state;
    struct misuse misuses[] = {
        {USMP_HELLO, 1, false},         {USMP_HELLO_RETRY, 1, false}, {DATA, UINT32_MAX, false},
        {USMP_PING, UINT32_MAX, false}, {USMP_PING, 1, true},         {DATA, 2, true},
    };
    for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++)
        assert_int_equal(child_run(misuse, &misuses[i]), 128 + SIGABRT);
    struct misuse use = {DATA, 1, true};
    assert_int_equal(child_run(misuse, &use), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_of_one_to_four_frames),
        cmocka_unit_test(test_control_frames_between_messages),
        cmocka_unit_test(test_tcp_ends_at_anything_wrong),
        cmocka_unit_test(test_bye_inside_a_message),
        cmocka_unit_test(test_udp_a_gap_begins_anew),
        cmocka_unit_test(test_udp_a_tail_is_never_a_message),
        cmocka_unit_test(test_udp_a_fourth_fragment_drops_all),
        cmocka_unit_test(test_udp_a_control_frame_inside_a_message),
        cmocka_unit_test(test_udp_a_late_copy_leaves_the_message_alone),
        cmocka_unit_test(test_udp_tails_are_remembered_for_a_window),
        cmocka_unit_test(test_the_last_numbers),
        cmocka_unit_test(test_udp_over_a_bad_link),
        cmocka_unit_test(test_misuse_stops_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
