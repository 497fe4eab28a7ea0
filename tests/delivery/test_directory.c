#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/directory.h"

static const uint8_t KEY[DEVICE_TABLE_KEY_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static bool memory_is_short;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_short ? NULL : __real_calloc(count, size);
}

static int setup(void **state)
{
    memory_is_short = false;
    struct directory *directory = __real_malloc(sizeof *directory);
    assert_non_null(directory);
    assert_true(directory_open(directory, KEY));
    *state = directory;
    return 0;
}

static int teardown(void **state)
{
    memory_is_short = false;
    directory_close(*state);
    free(*state);
    return 0;
}

/* Device and session are numbers, written into the first bytes. */
static struct seam_event event_of(enum seam_event_kind kind, uint32_t device, uint32_t session)
{
    struct seam_event event = {.kind = kind, .transport = SEAM_UDP, .wire = 2, .backends = 3, .time = session};
    event.peer.port = (uint16_t)session;
    memcpy(event.device, &device, sizeof device);
    memcpy(event.session, &session, sizeof session);
    return event;
}

static void begin(struct directory *directory, uint32_t device, uint32_t session)
{
    struct seam_event event = event_of(SEAM_CONNECTED, device, session);
    assert_true(directory_begin(directory, &event, 5));
}

static void end(struct directory *directory, uint32_t device, uint32_t session)
{
    struct seam_event event = event_of(SEAM_DISCONNECTED, device, session);
    directory_end(directory, &event);
}

static uint32_t session_number(const struct directory_session *session)
{
    uint32_t number;
    memcpy(&number, session->session, sizeof number);
    return number;
}

/* 0: the device has none. */
static uint32_t session_of(const struct directory *directory, uint32_t device)
{
    uint8_t bytes[6] = {0};
    memcpy(bytes, &device, sizeof device);
    const struct directory_session *session = directory_find(directory, bytes);
    return session != NULL ? session_number(session) : 0;
}

static void a_session_is_known_from_its_beginning_to_its_end(void **state)
{
    struct directory *directory = *state;
    assert_int_equal(session_of(directory, 1), 0);
    begin(directory, 1, 100);
    assert_int_equal(session_of(directory, 1), 100);
    assert_int_equal(session_of(directory, 2), 0);

    const struct directory_session *session = directory_find(directory, (const uint8_t[6]){1});
    assert_int_equal(session->transport, SEAM_UDP);
    assert_int_equal(session->wire, 2);
    assert_int_equal(session->shard, 5);
    assert_int_equal(session->backends, 3);
    assert_int_equal(session->connected, 100);
    assert_int_equal(session->peer.port, 100);
    assert_int_equal(session->commands, 0);

    end(directory, 1, 100);
    assert_int_equal(session_of(directory, 1), 0);
    assert_int_equal(directory->live.count, 0);
}

static void the_end_of_another_session_changes_nothing(void **state)
{
    struct directory *directory = *state;
    begin(directory, 1, 100);
    end(directory, 1, 99);
    end(directory, 2, 100);
    assert_int_equal(session_of(directory, 1), 100);
    begin(directory, 1, 101);
    end(directory, 1, 100);
    assert_int_equal(session_of(directory, 1), 101);
    assert_int_equal(directory->live.count, 1);
}

static void it_grows_with_its_sessions(void **state)
{
    struct directory *directory = *state;
    for (uint32_t device = 1; device <= 20000; device++)
        begin(directory, device, device + 7);
    assert_int_equal(directory->live.count, 20000);
    for (uint32_t device = 1; device <= 20000; device++)
        assert_int_equal(session_of(directory, device), device + 7);
    for (uint32_t device = 1; device <= 20000; device += 2)
        end(directory, device, device + 7);
    for (uint32_t device = 1; device <= 20000; device++)
        assert_int_equal(session_of(directory, device), device % 2 == 1 ? 0 : device + 7);
}

static void a_view_shows_the_moment_it_was_opened(void **state)
{
    struct directory *directory = *state;
    begin(directory, 1, 101);
    begin(directory, 2, 102);
    begin(directory, 3, 103);
    struct directory_view view;
    directory_view_open(directory, &view);
    end(directory, 1, 101);
    begin(directory, 4, 104);
    begin(directory, 2, 202);
    end(directory, 4, 104);

    assert_int_equal(session_number(directory_view_next(&view)), 101);
    end(directory, 3, 103);
    assert_int_equal(session_number(directory_view_next(&view)), 102);
    begin(directory, 5, 105);
    assert_int_equal(session_number(directory_view_next(&view)), 103);
    assert_null(directory_view_next(&view));
    begin(directory, 6, 106);
    assert_null(directory_view_next(&view));
    directory_view_close(directory, &view);

    assert_int_equal(session_of(directory, 2), 202);
    assert_int_equal(directory->live.count, 3);
    assert_null(directory->ended);
}

static void a_view_of_nothing_stays_empty(void **state)
{
    struct directory *directory = *state;
    struct directory_view view;
    directory_view_open(directory, &view);
    begin(directory, 1, 101);
    assert_null(directory_view_next(&view));
    directory_view_close(directory, &view);
}

static void views_do_not_disturb_each_other(void **state)
{
    struct directory *directory = *state;
    begin(directory, 1, 101);
    struct directory_view first;
    directory_view_open(directory, &first);
    end(directory, 1, 101);
    begin(directory, 2, 102);
    struct directory_view second;
    directory_view_open(directory, &second);
    end(directory, 2, 102);
    begin(directory, 3, 103);

    /* The second one's cursor stands on what only the first one shows. */
    directory_view_close(directory, &first);
    assert_int_equal(session_number(directory_view_next(&second)), 102);
    assert_null(directory_view_next(&second));
    directory_view_close(directory, &second);
    assert_null(directory->ended);
}

static void what_began_after_all_views_is_not_kept_for_them(void **state)
{
    struct directory *directory = *state;
    struct directory_view view;
    directory_view_open(directory, &view);
    for (uint32_t session = 1; session <= 1000; session++) {
        begin(directory, 1, session);
        end(directory, 1, session);
    }
    assert_null(directory->ended);
    assert_null(directory->oldest);
    directory_view_close(directory, &view);
}

static void short_of_memory_it_does_not_open(void **state)
{
    (void)state;
    struct directory directory;
    memory_is_short = true;
    assert_false(directory_open(&directory, KEY));
    memory_is_short = false;
}

static void short_of_memory_a_session_is_not_known(void **state)
{
    struct directory *directory = *state;
    struct seam_event event = event_of(SEAM_CONNECTED, 1, 101);
    memory_is_short = true;
    assert_false(directory_begin(directory, &event, 0));
    memory_is_short = false;
    assert_int_equal(session_of(directory, 1), 0);
    end(directory, 1, 101);

    uint32_t device = 1;
    begin(directory, device, 1);
    memory_is_short = true;
    for (;;) {
        device++;
        event = event_of(SEAM_CONNECTED, device, device);
        if (!directory_begin(directory, &event, 0))
            break;
    }
    /* The table was full, or the sessions' memory; whatever was known still is. */
    assert_int_equal(directory->live.count, device - 1);
    for (uint32_t known = 1; known < device; known++)
        assert_int_equal(session_of(directory, known), known);
    assert_int_equal(session_of(directory, device), 0);

    /* A device that comes back without memory has no session that is known: its old one has ended. */
    event = event_of(SEAM_CONNECTED, 1, 500);
    assert_true(directory_begin(directory, &event, 0));
    memory_is_short = false;
    begin(directory, device, 501);
    assert_int_equal(session_of(directory, device), 501);
}

#define DEVICES 200u
#define VIEWS 3u

struct view_model {
    bool open;
    struct directory_view view;
    uint32_t expected[DEVICES]; /* session of each device at that moment; 0 once it was seen */
    size_t left;
};

static void look_on(struct view_model *model)
{
    const struct directory_session *session = directory_view_next(&model->view);
    if (session == NULL) {
        assert_int_equal(model->left, 0);
        return;
    }
    uint32_t device;
    memcpy(&device, session->device, sizeof device);
    assert_in_range(device, 0, DEVICES - 1);
    assert_int_equal(model->expected[device], session_number(session));
    model->expected[device] = 0;
    model->left--;
}

static void random_changes_and_views_agree_with_copies(void **state)
{
    struct directory *directory = *state;
    static uint32_t sessions[DEVICES];
    static struct view_model models[VIEWS];
    uint64_t random = 4711;
    for (uint32_t step = 1; step < 300000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t device = (uint32_t)(random >> 33) % DEVICES;
        struct view_model *model = &models[(random >> 20) % VIEWS];
        switch (random >> 61) {
        case 0:
        case 1:
            begin(directory, device, step);
            sessions[device] = step;
            break;
        case 2:
            if (sessions[device] != 0)
                end(directory, device, sessions[device]);
            sessions[device] = 0;
            break;
        case 3:
            if (!model->open && step % 16 == 0) {
                directory_view_open(directory, &model->view);
                model->open = true;
                memcpy(model->expected, sessions, sizeof sessions);
                model->left = 0;
                for (size_t i = 0; i < DEVICES; i++)
                    model->left += sessions[i] != 0;
            } else if (model->open && step % 256 == 0) {
                directory_view_close(directory, &model->view);
                model->open = false;
            }
            break;
        default:
            if (model->open)
                look_on(model);
            break;
        }
        assert_int_equal(session_of(directory, device), sessions[device]);
    }
    for (size_t i = 0; i < VIEWS; i++) {
        if (models[i].open)
            directory_view_close(directory, &models[i].view);
    }
    assert_null(directory->ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_is_known_from_its_beginning_to_its_end, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_another_session_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(it_grows_with_its_sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(a_view_shows_the_moment_it_was_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(a_view_of_nothing_stays_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(views_do_not_disturb_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(what_began_after_all_views_is_not_kept_for_them, setup, teardown),
        cmocka_unit_test(short_of_memory_it_does_not_open),
        cmocka_unit_test_setup_teardown(short_of_memory_a_session_is_not_known, setup, teardown),
        cmocka_unit_test_setup_teardown(random_changes_and_views_agree_with_copies, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
