#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/log_journal.h"
#include "platform/log_records.h"
#include "platform/scratch.h"

static int listen_as_journal(const char *path)
{
    int journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(journal >= 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    assert_int_equal(bind(journal, (const struct sockaddr *)&address, sizeof address), 0);
    return journal;
}

static void test_entry(void **state)
{
    (void)state;
    struct log_record record = records_plain(LOG_FIELDS(log_device(RECORDS_DEVICE), log_peer(&RECORDS_PEER),
                                                        log_string("reason_2", "two words"), log_number("count", 7)));
    record.level = LOG_LEVEL_WARN;
    struct log_line entry = {0};
    log_journal_format(&record, &entry);
    entry.text[entry.length] = '\0';
    assert_string_equal(entry.text, "MESSAGE=session over udp device=de:ad:be:ef:00:01 peer=192.0.2.7:50123 "
                                    "reason_2=\"two words\" count=7\n"
                                    "PRIORITY=4\n"
                                    "SYSLOG_IDENTIFIER=usmpd\n"
                                    "USMPD_DEVICE=de:ad:be:ef:00:01\n"
                                    "USMPD_PEER=192.0.2.7:50123\n"
                                    "USMPD_REASON_2=two words\n"
                                    "USMPD_COUNT=7\n");
}

static void test_nobody_can_add_a_field(void **state)
{
    (void)state;
    struct log_record record = records_plain(LOG_FIELDS(log_string("line", "a\nPRIORITY=0\n_UID=0")));
    record.message = "x\nCODE_FILE=y";
    struct log_line entry = {0};
    log_journal_format(&record, &entry);
    entry.text[entry.length] = '\0';
    assert_string_equal(entry.text, "MESSAGE=x\\x0aCODE_FILE=y line=\"a\\x0aPRIORITY=0\\x0a_UID=0\"\n"
                                    "PRIORITY=6\n"
                                    "SYSLOG_IDENTIFIER=usmpd\n"
                                    "USMPD_LINE=a\\x0aPRIORITY=0\\x0a_UID=0\n");
}

static void test_the_longest_entry_fits(void **state)
{
    (void)state;
    struct records_longest longest;
    records_make_longest(&longest, '\x1b');
    struct log_line entry = {0};
    log_journal_format(&longest.record, &entry);
    assert_in_range(entry.length, 6000, LOG_LINE_CAPACITY);
}

static void test_sending(void **state)
{
    const struct scratch *scratch = *state;
    struct log_line entry = {.length = 12, .text = "MESSAGE=hi\n\n"};
    int sender = log_journal_open();
    assert_true(sender >= 0);
    assert_int_equal(log_journal_send(sender, scratch->path, &entry), LOG_JOURNAL_ABSENT);

    int journal = listen_as_journal(scratch->path);
    assert_int_equal(log_journal_send(sender, scratch->path, &entry), LOG_JOURNAL_SENT);
    char received[64];
    assert_int_equal(recv(journal, received, sizeof received, MSG_DONTWAIT), 12);
    assert_memory_equal(received, entry.text, 12);

    /* Restarted, on a new socket at the same place. */
    assert_int_equal(close(journal), 0);
    assert_int_equal(log_journal_send(sender, scratch->path, &entry), LOG_JOURNAL_ABSENT);
    assert_int_equal(unlink(scratch->path), 0);
    journal = listen_as_journal(scratch->path);
    assert_int_equal(log_journal_send(sender, scratch->path, &entry), LOG_JOURNAL_SENT);
    assert_int_equal(recv(journal, received, sizeof received, MSG_DONTWAIT), 12);
    assert_int_equal(close(journal), 0);
    assert_int_equal(close(sender), 0);
}

static void test_a_journal_that_does_not_read_is_not_waited_for(void **state)
{
    const struct scratch *scratch = *state;
    struct log_line entry = {.length = 11, .text = "MESSAGE=hi\n"};
    int journal = listen_as_journal(scratch->path);
    int sender = log_journal_open();
    unsigned sent = 0;
    enum log_journal_verdict verdict;
    while ((verdict = log_journal_send(sender, scratch->path, &entry)) == LOG_JOURNAL_SENT && sent < 100000)
        sent++;
    assert_int_equal(verdict, LOG_JOURNAL_FULL);
    char received[64];
    for (unsigned i = 0; i < sent; i++)
        assert_int_equal(recv(journal, received, sizeof received, MSG_DONTWAIT), 11);
    assert_int_equal(recv(journal, received, sizeof received, MSG_DONTWAIT), -1);
    assert_int_equal(log_journal_send(sender, scratch->path, &entry), LOG_JOURNAL_SENT);
    assert_int_equal(close(journal), 0);
    assert_int_equal(close(sender), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry),
        cmocka_unit_test(test_nobody_can_add_a_field),
        cmocka_unit_test(test_the_longest_entry_fits),
        cmocka_unit_test_setup_teardown(test_sending, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_journal_that_does_not_read_is_not_waited_for, scratch_make,
                                        scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
