#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "platform/scratch.h"
#include "platform/unix_listener.h"

static int bind_error;
static int listen_error;
static int lchown_error;
static int unlink_error;
static int connect_error;
static bool strdup_fails;
static mode_t mode_at_listen;
static gid_t group_at_listen;
static const char *listen_path;
static mode_t mode_changed_to; /* by a default ACL, as it were */

int __real_bind(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
    if (bind_error != 0) {
        errno = bind_error;
        return -1;
    }
    int result = __real_bind(descriptor, address, length);
    if (mode_changed_to != 0)
        (void)chmod(listen_path, mode_changed_to);
    return result;
}

int __real_listen(int descriptor, int backlog);
int __wrap_listen(int descriptor, int backlog);
int __wrap_listen(int descriptor, int backlog)
{
    struct stat status;
    if (stat(listen_path, &status) == 0) {
        mode_at_listen = status.st_mode & 07777;
        group_at_listen = status.st_gid;
    }
    if (listen_error != 0) {
        errno = listen_error;
        return -1;
    }
    return __real_listen(descriptor, backlog);
}

int __real_lchown(const char *path, uid_t owner, gid_t group);
int __wrap_lchown(const char *path, uid_t owner, gid_t group);
int __wrap_lchown(const char *path, uid_t owner, gid_t group)
{
    if (lchown_error == 0)
        return __real_lchown(path, owner, group);
    errno = lchown_error;
    return -1;
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
    if (unlink_error == 0)
        return __real_unlink(path);
    errno = unlink_error;
    return -1;
}

int __real_connect(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    if (connect_error == 0)
        return __real_connect(descriptor, address, length);
    errno = connect_error;
    return -1;
}

static int socket_calls_left = -1; /* then they fail; -1: never */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
    if (socket_calls_left == 0) {
        errno = EMFILE;
        return -1;
    }
    if (socket_calls_left > 0)
        socket_calls_left--;
    return __real_socket(family, type, protocol);
}

static int lstat_calls_left = -1; /* the next one fails; -1: none */

int __real_lstat(const char *path, struct stat *status);
int __wrap_lstat(const char *path, struct stat *status);
int __wrap_lstat(const char *path, struct stat *status)
{
    if (lstat_calls_left < 0 || lstat_calls_left-- > 0)
        return __real_lstat(path, status);
    errno = EACCES;
    return -1;
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return strdup_fails ? NULL : __real_strdup(text);
}

static struct unix_listener listener;
static struct error_text error;

static int begin(void **state)
{
    bind_error = listen_error = lchown_error = unlink_error = connect_error = 0;
    strdup_fails = false;
    mode_changed_to = 0;
    socket_calls_left = lstat_calls_left = -1;
    listener = (struct unix_listener)UNIX_LISTENER_INITIALIZER;
    if (scratch_make(state) != 0)
        return -1;
    listen_path = ((const struct scratch *)*state)->path;
    return 0;
}

static struct unix_listener_settings settings_for(const struct scratch *scratch)
{
    return (struct unix_listener_settings){.path = scratch->path, .mode = 0660, .group = "", .backlog = 4};
}

static bool open_listener(const struct scratch *scratch)
{
    struct unix_listener_settings settings = settings_for(scratch);
    return unix_listener_open(&settings, &listener, &error);
}

static void assert_refused(const struct scratch *scratch, const char *reason)
{
    assert_false(open_listener(scratch));
    assert_int_equal(listener.descriptor, -1);
    if (strstr(error.text, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, reason);
    /* What it took on the way it gave back. */
    assert_int_equal(access(scratch->lock, F_OK), -1);
}

static int bind_socket(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(__real_bind(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

static void test_a_client_can_connect(void **state)
{
    const struct scratch *scratch = *state;
    assert_true(open_listener(scratch));
    assert_int_not_equal(fcntl(listener.descriptor, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_not_equal(fcntl(listener.descriptor, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(access(scratch->lock, F_OK), 0);

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, scratch->path);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(__real_connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    int server = accept(listener.descriptor, NULL, NULL);
    assert_true(server >= 0);
    assert_int_equal(close(server), 0);
    assert_int_equal(close(client), 0);

    unix_listener_close(&listener);
    assert_int_equal(listener.descriptor, -1);
    assert_int_equal(access(scratch->path, F_OK), -1);
    assert_int_equal(access(scratch->lock, F_OK), -1);
    unix_listener_close(&listener);
}

static void test_mode_is_right_before_it_listens(void **state)
{
    const struct scratch *scratch = *state;
    static const mode_t modes[] = {0600, 0660, 0666, 0777, 0000, 0606};
    mode_t before = umask(027);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct unix_listener_settings settings = settings_for(scratch);
        settings.mode = modes[i];
        assert_true(unix_listener_open(&settings, &listener, &error));
        assert_int_equal(mode_at_listen, modes[i]);
        unix_listener_close(&listener);
    }
    /* The umask is what it was. */
    assert_int_equal(umask(before), 027);
}

static void test_group_is_right_before_it_listens(void **state)
{
    const struct scratch *scratch = *state;
    /* root may give it away; others need a second group to try it with. */
    gid_t groups[64];
    int count = getgroups(64, groups);
    gid_t wanted = getegid();
    for (int i = 0; i < count; i++)
        if (groups[i] != getegid())
            wanted = groups[i];
    const struct group *entry = geteuid() == 0 ? getgrnam("daemon") : getgrgid(wanted);
    assert_non_null(entry);
    wanted = entry->gr_gid;
    char name[64];
    (void)snprintf(name, sizeof name, "%s", entry->gr_name);

    struct unix_listener_settings settings = settings_for(scratch);
    settings.group = name;
    assert_true(unix_listener_open(&settings, &listener, &error));
    assert_int_equal(group_at_listen, wanted);
    assert_int_equal(mode_at_listen, 0660);
    unix_listener_close(&listener);
}

static void test_no_group_leaves_it(void **state)
{
    const struct scratch *scratch = *state;
    struct unix_listener_settings settings = settings_for(scratch);
    settings.group = NULL;
    lchown_error = EPERM;
    assert_true(unix_listener_open(&settings, &listener, &error));
    assert_int_equal(group_at_listen, getegid());
    unix_listener_close(&listener);
}

static void test_an_unknown_group(void **state)
{
    const struct scratch *scratch = *state;
    struct unix_listener_settings settings = settings_for(scratch);
    settings.group = "no-such-group";
    assert_false(unix_listener_open(&settings, &listener, &error));
    assert_string_equal(error.text, "there is no group no-such-group");
    assert_int_equal(access(scratch->path, F_OK), -1);
}

static void test_a_group_that_may_not_be_given(void **state)
{
    const struct scratch *scratch = *state;
    const struct group *entry = getgrgid(getegid());
    assert_non_null(entry);
    char name[64];
    (void)snprintf(name, sizeof name, "%s", entry->gr_name);
    struct unix_listener_settings settings = settings_for(scratch);
    settings.group = name;
    lchown_error = EPERM;
    assert_false(unix_listener_open(&settings, &listener, &error));
    assert_non_null(strstr(error.text, "is its user in it?"));
    assert_int_equal(access(scratch->path, F_OK), -1);
    assert_int_equal(access(scratch->lock, F_OK), -1);
}

static void test_path_lengths(void **state)
{
    const struct scratch *scratch = *state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%0*d", scratch->folder, (int)(107 - strlen(scratch->folder) - 1), 0);
    assert_int_equal(strlen(path), 107);
    struct unix_listener_settings settings = settings_for(scratch);
    settings.path = path;
    listen_path = path;
    assert_true(unix_listener_open(&settings, &listener, &error));
    unix_listener_close(&listener);

    strcat(path, "0");
    assert_false(unix_listener_open(&settings, &listener, &error));
    assert_non_null(strstr(error.text, "the path of a socket has 1 to 107 bytes, this one has 108"));
    settings.path = "";
    assert_false(unix_listener_open(&settings, &listener, &error));
    assert_non_null(strstr(error.text, "this one has 0"));
}

static void test_our_stale_socket_is_replaced(void **state)
{
    const struct scratch *scratch = *state;
    int dead = bind_socket(scratch->path, SOCK_STREAM);
    assert_int_equal(close(dead), 0);
    assert_true(open_listener(scratch));
    unix_listener_close(&listener);
}

static void test_a_live_socket_stays(void **state)
{
    const struct scratch *scratch = *state;
    int live = bind_socket(scratch->path, SOCK_STREAM);
    assert_int_equal(__real_listen(live, 0), 0);
    assert_refused(scratch, "another process listens on");
    /* The first attempt waits in its queue, so the next finds it full. */
    assert_refused(scratch, "another process listens on");
    assert_refused(scratch, "another process listens on");
    assert_int_equal(access(scratch->path, F_OK), 0);
    assert_int_equal(close(live), 0);
}

static void test_a_live_datagram_socket_stays(void **state)
{
    const struct scratch *scratch = *state;
    int live = bind_socket(scratch->path, SOCK_DGRAM);
    assert_refused(scratch, "another process listens on");
    assert_int_equal(access(scratch->path, F_OK), 0);
    assert_int_equal(close(live), 0);
}

static void test_an_unclear_answer_is_no_licence(void **state)
{
    const struct scratch *scratch = *state;
    int live = bind_socket(scratch->path, SOCK_STREAM);
    connect_error = EACCES;
    assert_refused(scratch, "cannot tell whether somebody listens");
    assert_int_equal(access(scratch->path, F_OK), 0);
    assert_int_equal(close(live), 0);
}

static void test_other_things_stay(void **state)
{
    const struct scratch *scratch = *state;
    int file = open(scratch->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    assert_refused(scratch, "is there and is not a socket");
    assert_int_equal(access(scratch->path, F_OK), 0);
    assert_int_equal(__real_unlink(scratch->path), 0);

    assert_int_equal(symlink("elsewhere", scratch->path), 0);
    assert_refused(scratch, "is there and is not a socket");
    assert_int_equal(__real_unlink(scratch->path), 0);

    assert_int_equal(mkdir(scratch->path, 0700), 0);
    assert_refused(scratch, "is there and is not a socket");
}

static void test_a_socket_of_somebody_else_stays(void **state)
{
    const struct scratch *scratch = *state;
    if (geteuid() != 0)
        skip();
    int dead = bind_socket(scratch->path, SOCK_STREAM);
    assert_int_equal(close(dead), 0);
    assert_int_equal(__real_lchown(scratch->path, 12345, (gid_t)-1), 0);
    assert_refused(scratch, "is a socket of another user");
    assert_int_equal(access(scratch->path, F_OK), 0);
}

static void test_the_lock_comes_first(void **state)
{
    const struct scratch *scratch = *state;
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_HELD);
    int dead = bind_socket(scratch->path, SOCK_STREAM);
    assert_int_equal(close(dead), 0);
    assert_false(open_listener(scratch));
    assert_non_null(strstr(error.text, "another process (pid "));
    assert_int_equal(access(scratch->path, F_OK), 0);
    lock_file_release(&lock);
}

static void test_closing_spares_the_socket_of_somebody_else(void **state)
{
    const struct scratch *scratch = *state;
    assert_true(open_listener(scratch));
    assert_int_equal(__real_unlink(scratch->path), 0);
    int other = bind_socket(scratch->path, SOCK_STREAM);
    unix_listener_close(&listener);
    assert_int_equal(access(scratch->path, F_OK), 0);
    assert_int_equal(close(other), 0);
}

static void test_looking_may_fail(void **state)
{
    const struct scratch *scratch = *state;
    int dead = bind_socket(scratch->path, SOCK_STREAM);
    assert_int_equal(close(dead), 0);
    /* The lock file is looked at first, then the path, then the socket that was made there. */
    lstat_calls_left = 1;
    assert_refused(scratch, "cannot look at");
    lstat_calls_left = -1;
    assert_int_equal(access(scratch->path, F_OK), 0);

    socket_calls_left = 0; /* to ask who listens */
    assert_refused(scratch, "cannot tell whether somebody listens");
    socket_calls_left = 1; /* to listen */
    assert_refused(scratch, "cannot make a socket: Too many open files");
    socket_calls_left = -1;
    assert_int_equal(access(scratch->path, F_OK), -1);

    lstat_calls_left = 2;
    assert_refused(scratch, "was replaced while it was being made");
}

static void test_failures_leave_nothing_behind(void **state)
{
    const struct scratch *scratch = *state;
    strdup_fails = true;
    assert_refused(scratch, "out of memory");
    strdup_fails = false;

    bind_error = EROFS;
    assert_refused(scratch, "Read-only file system");
    bind_error = 0;

    listen_error = EOPNOTSUPP;
    assert_refused(scratch, "cannot listen on");
    listen_error = 0;

    mode_changed_to = 0770;
    assert_refused(scratch, "has mode 0770 and not 0660: its folder has a default ACL");
    mode_changed_to = 0;
    assert_int_equal(access(scratch->path, F_OK), -1);
    assert_true(open_listener(scratch));
    unix_listener_close(&listener);
}

static void test_a_stale_socket_that_cannot_be_removed(void **state)
{
    const struct scratch *scratch = *state;
    int dead = bind_socket(scratch->path, SOCK_STREAM);
    assert_int_equal(close(dead), 0);
    unlink_error = EACCES;
    assert_false(open_listener(scratch));
    assert_non_null(strstr(error.text, "cannot remove the stale socket"));
}

static void test_a_folder_that_is_not_there(void **state)
{
    (void)state;
    struct unix_listener_settings settings = {.path = "/nonexistent/socket", .mode = 0600, .backlog = 1};
    assert_false(unix_listener_open(&settings, &listener, &error));
    assert_string_equal(error.text, "cannot open /nonexistent/socket.lock: No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_client_can_connect),
        TEST(test_mode_is_right_before_it_listens),
        TEST(test_group_is_right_before_it_listens),
        TEST(test_no_group_leaves_it),
        TEST(test_an_unknown_group),
        TEST(test_a_group_that_may_not_be_given),
        TEST(test_path_lengths),
        TEST(test_our_stale_socket_is_replaced),
        TEST(test_a_live_socket_stays),
        TEST(test_a_live_datagram_socket_stays),
        TEST(test_an_unclear_answer_is_no_licence),
        TEST(test_other_things_stay),
        TEST(test_a_socket_of_somebody_else_stays),
        TEST(test_the_lock_comes_first),
        TEST(test_closing_spares_the_socket_of_somebody_else),
        TEST(test_looking_may_fail),
        TEST(test_failures_leave_nothing_behind),
        TEST(test_a_stale_socket_that_cannot_be_removed),
        TEST(test_a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
