/* What a source does to a reader: fail, come in pieces, be too large. */
#include "config/messages.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config/yaml_reader.h"

static int failing_reads; /* errno, 0: none */
static int interruptions;
static size_t piece = SIZE_MAX;
static int failing_preads;

ssize_t __real_read(int descriptor, void *bytes, size_t size);
ssize_t __wrap_read(int descriptor, void *bytes, size_t size);
ssize_t __real_pread(int descriptor, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pread(int descriptor, void *bytes, size_t size, off_t offset);

ssize_t __wrap_read(int descriptor, void *bytes, size_t size)
{
    if (interruptions > 0) {
        interruptions--;
        errno = EINTR;
        return -1;
    }
    if (failing_reads != 0) {
        errno = failing_reads;
        return -1;
    }
    return __real_read(descriptor, bytes, size < piece ? size : piece);
}

ssize_t __wrap_pread(int descriptor, void *bytes, size_t size, off_t offset)
{
    if (failing_preads != 0) {
        errno = failing_preads;
        return -1;
    }
    return __real_pread(descriptor, bytes, size < piece ? size : piece, offset);
}

struct fixture {
    char file[64];
    int descriptor;
    struct diagnostics *diagnostics;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL) {
        return -1;
    }
    strcpy(fixture->file, "/tmp/test_yaml_reader.XXXXXX");
    fixture->descriptor = mkstemp(fixture->file);
    fixture->diagnostics = diagnostics_open();
    *state = fixture;
    failing_reads = 0;
    interruptions = 0;
    piece = SIZE_MAX;
    failing_preads = 0;
    return fixture->descriptor < 0 || fixture->diagnostics == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    close(fixture->descriptor);
    unlink(fixture->file);
    diagnostics_close(fixture->diagnostics);
    free(fixture);
    return 0;
}

static void write_text(const struct fixture *fixture, const char *text)
{
    assert_int_equal(write(fixture->descriptor, text, strlen(text)), strlen(text));
    assert_int_equal(lseek(fixture->descriptor, 0, SEEK_SET), 0);
}

/* How many events there are up to the end, or -1 when one cannot be had. */
static int count_events(struct fixture *fixture, size_t limit)
{
    struct yaml_reader reader;
    assert_true(yaml_reader_open(&reader, "f", fixture->descriptor, NULL, 0, limit));
    int count = 0;
    bool ended = false;
    while (!ended) {
        yaml_event_t event;
        if (!yaml_reader_next(&reader, &event, fixture->diagnostics)) {
            count = -1;
            break;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        count++;
    }
    yaml_reader_close(&reader);
    return count;
}

static void file_in_one_piece_or_many(void **state)
{
    struct fixture *fixture = *state;
    write_text(fixture, "a: [b, c]\n");
    assert_int_equal(count_events(fixture, 100), 11);
    for (piece = 1; piece < 12; piece++) {
        lseek(fixture->descriptor, 0, SEEK_SET);
        interruptions = 1;
        assert_int_equal(count_events(fixture, 100), 11);
    }
    assert_messages(fixture->diagnostics, "");
}

static void reading_fails(void **state)
{
    struct fixture *fixture = *state;
    write_text(fixture, "a: b\n");
    failing_reads = EIO;
    assert_int_equal(count_events(fixture, 100), -1);
    assert_messages(fixture->diagnostics, "f: cannot be read: Input/output error\n");
}

static void limit_is_exact(void **state)
{
    struct fixture *fixture = *state;
    write_text(fixture, "a: b\n");
    assert_int_equal(count_events(fixture, 5), 8);
    lseek(fixture->descriptor, 0, SEEK_SET);
    assert_int_equal(count_events(fixture, 4), -1);
    assert_messages(fixture->diagnostics, "f: larger than 4 bytes\n");
}

static void place_of_a_bad_byte_is_looked_up_again(void **state)
{
    struct fixture *fixture = *state;
    write_text(fixture, "a: b\nc: dé\x02\n");
    assert_int_equal(count_events(fixture, 100), -1);
    assert_messages(fixture->diagnostics, "f:2:6: control characters are not allowed\n");
    lseek(fixture->descriptor, 0, SEEK_SET);
    piece = 2;
    assert_int_equal(count_events(fixture, 100), -1);
    lseek(fixture->descriptor, 0, SEEK_SET);
    failing_preads = EIO;
    assert_int_equal(count_events(fixture, 100), -1);
    assert_messages(fixture->diagnostics, "f: control characters are not allowed\n"
                                          "f:2:6: control characters are not allowed\n"
                                          "f:2:6: control characters are not allowed\n");
}

static void memory_of_libyaml_behaves_like_any(void **state)
{
    (void)state;
    unsigned char *memory = yaml_malloc(0);
    assert_non_null(memory);
    yaml_free(memory);
    yaml_free(NULL);
    memory = yaml_realloc(NULL, 16);
    assert_non_null(memory);
    for (unsigned char i = 0; i < 16; i++) {
        memory[i] = i;
    }
    memory = yaml_realloc(memory, 100000);
    assert_non_null(memory);
    for (unsigned char i = 0; i < 16; i++) {
        assert_int_equal(memory[i], i);
    }
    memset(memory, 7, 100000);
    memory = yaml_realloc(memory, 8);
    assert_non_null(memory);
    assert_memory_equal(memory, "\7\7\7\7\7\7\7\7", 8);
    yaml_free(memory);
    static const yaml_char_t text[] = "text";
    yaml_char_t *copy = yaml_strdup(text);
    assert_string_equal((const char *)copy, "text");
    yaml_free(copy);
    assert_null(yaml_strdup(NULL));
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(file_in_one_piece_or_many),
        WITH(reading_fails),
        WITH(limit_is_exact),
        WITH(place_of_a_bad_byte_is_looked_up_again),
        cmocka_unit_test(memory_of_libyaml_behaves_like_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
