#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "usmp/printer.h"

static struct printer printer;
static int ends[2];

static int open_pipe(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    return pipe(ends);
}

static int close_pipe(void **state)
{
    (void)state;
    if (ends[0] >= 0)
        close(ends[0]);
    close(ends[1]);
    return 0;
}

static void assert_printed(const char *expected, size_t size)
{
    static char bytes[PRINTER_SIZE];
    while (printer.size > 0)
        assert_true(printer_write(&printer));
    assert_int_equal(read(ends[0], bytes, sizeof bytes), (ssize_t)size);
    assert_memory_equal(bytes, expected, size);
}

static void add(const char *bytes, size_t size)
{
    printer_add(&printer, (const uint8_t *)bytes, size);
}

static void test_raw_is_byte_for_byte(void **state)
{
    (void)state;
    printer_init(&printer, ends[1], PRINTER_RAW);
    add("temp=21.5", 9);
    add("", 0);
    add("\x1b[2J\0\xff\n", 7);
    assert_printed("temp=21.5\n\n\x1b[2J\0\xff\n\n", 19);
}

static void test_no_bytes_need_no_pointer(void **state)
{
    (void)state;
    printer_init(&printer, ends[1], PRINTER_RAW);
    printer_add(&printer, NULL, 0);
    assert_printed("\n", 1);
}

static void test_a_terminal_is_not_steered(void **state)
{
    (void)state;
    printer_init(&printer, ends[1], PRINTER_ESCAPED);
    add("\x1b[2J\n\xff b\xc3\xa4r", 11);
    assert_printed("\\x1b[2J\\x0a\\xff b\xc3\xa4r\n", 21);
}

static void test_hex(void **state)
{
    (void)state;
    printer_init(&printer, ends[1], PRINTER_HEX);
    add("\x00\xffz", 3);
    add("", 0);
    assert_printed("00ff7a\n\n", 8);
}

/* Whatever a message is, it fits while there is said to be room. */
static void test_room_for_the_worst(void **state)
{
    (void)state;
    uint8_t worst[USMP_MESSAGE_MAX];
    memset(worst, 0x01, sizeof worst);
    printer_init(&printer, ends[1], PRINTER_ESCAPED);
    int count = 0;
    while (printer_has_room(&printer)) {
        printer_add(&printer, worst, sizeof worst);
        count++;
    }
    assert_int_equal(count, 4);
    assert_int_equal(printer.size, 4 * (4 * USMP_MESSAGE_MAX + 1));
    assert_true(printer_write(&printer));
    assert_false(printer_has_room(&printer));
    assert_true(printer_write(&printer));
    assert_true(printer_has_room(&printer));
    char bytes[8];
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 8);
    assert_memory_equal(bytes, "\\x01\\x01", 8);
}

static void test_a_full_pipe_is_no_failure(void **state)
{
    (void)state;
    static const char fill[4096];
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], fill, sizeof fill) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    printer_init(&printer, ends[1], PRINTER_RAW);
    add("later", 5);
    assert_true(printer_write(&printer));
    assert_int_equal(printer.size, 6);
}

static void test_a_reader_that_has_gone(void **state)
{
    (void)state;
    close(ends[0]);
    ends[0] = -1;
    printer_init(&printer, ends[1], PRINTER_RAW);
    add("never", 5);
    assert_false(printer_write(&printer));
    assert_int_equal(errno, EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_raw_is_byte_for_byte, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_no_bytes_need_no_pointer, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_a_terminal_is_not_steered, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_hex, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_room_for_the_worst, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_a_full_pipe_is_no_failure, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_a_reader_that_has_gone, open_pipe, close_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
