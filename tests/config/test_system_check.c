/* What a configuration names and the system has not. */
#include "config/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>

/* Groups and folders are as each test says: what this machine has is not known. */
static int group_error;
static const char *group_that_exists;
static const char *folder_asked_for;
static int folder_error;

struct group *__wrap_getgrnam(const char *name);
int __wrap_faccessat(int folder, const char *path, int mode, int flags);

struct group *__wrap_getgrnam(const char *name)
{
    static struct group group;
    if (group_that_exists != NULL && strcmp(name, group_that_exists) == 0) {
        return &group;
    }
    errno = group_error;
    return NULL;
}

int __wrap_faccessat(int folder, const char *path, int mode, int flags)
{
    static char asked[256];
    assert_int_equal(folder, AT_FDCWD);
    assert_int_equal(mode, W_OK | X_OK);
    assert_int_equal(flags, AT_EACCESS);
    snprintf(asked, sizeof asked, "%s", path);
    folder_asked_for = asked;
    errno = folder_error;
    return folder_error == 0 ? 0 : -1;
}

static int set_up(void **state)
{
    group_error = 0;
    group_that_exists = NULL;
    folder_error = 0;
    folder_asked_for = NULL;
    return config_file_set_up(state);
}

static void assert_check(void **state, const char *messages)
{
    struct config_file *file = *state;
    config_check_system(file->config, file->diagnostics);
    assert_messages(file->diagnostics, messages);
}

static void all_is_there(void **state)
{
    group_that_exists = "iot";
    load("backends: [{ group: iot }]\n");
    assert_check(state, "");
    assert_string_equal(folder_asked_for, "/run/usmpd");
}

static void group_does_not_exist(void **state)
{
    load("backends:\n  - { group: iot }\n  - { name: b, socket: /b, group: oit }\n");
    group_that_exists = "iot";
    assert_check(state, "usmpd.yaml:3:5: backends[1].group: there is no group \"oit\"\n");
    struct config_file *file = *state;
    assert_int_equal(diagnostics_errors(file->diagnostics), 1);
}

static void group_cannot_be_looked_up(void **state)
{
    group_error = EIO;
    load("backends:\n  - { group: iot }\n");
    assert_check(state, "usmpd.yaml:2:5: backends[0].group: cannot look up \"iot\": Input/output error\n");
    group_error = ENOENT;
    load("backends:\n  - { group: iot }\n");
    assert_check(state, "usmpd.yaml:2:5: backends[0].group: there is no group \"iot\"\n");
}

static void no_group_is_not_looked_up(void **state)
{
    group_error = EIO;
    load("");
    assert_check(state, "");
}

static void folder_is_absent_or_not_writable(void **state)
{
    folder_error = ENOENT;
    load("backends:\n  - { socket: /srv/usmpd/b.sock }\n");
    assert_check(state, "usmpd.yaml:2:5: warning: backends[0].socket: this user cannot make a socket in /srv/usmpd: No "
                        "such file or directory\n");
    folder_error = EACCES;
    load("");
    assert_check(state, "usmpd.yaml: warning: backends[0].socket: this user cannot make a socket in /run/usmpd: "
                        "Permission denied\n");
}

static void what_the_service_manager_makes_may_be_absent(void **state)
{
    folder_error = ENOENT;
    load("");
    assert_check(state, "");
}

static void folder_of_every_kind_of_path(void **state)
{
    load("backends: [{ socket: b.sock }]\n");
    assert_check(state, "");
    assert_string_equal(folder_asked_for, ".");
    load("backends: [{ socket: /b.sock }]\n");
    assert_check(state, "");
    assert_string_equal(folder_asked_for, "/");
    load("backends: [{ socket: a/b.sock }]\n");
    assert_check(state, "");
    assert_string_equal(folder_asked_for, "a");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, config_file_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(all_is_there),
        WITH(group_does_not_exist),
        WITH(group_cannot_be_looked_up),
        WITH(no_group_is_not_looked_up),
        WITH(folder_is_absent_or_not_writable),
        WITH(what_the_service_manager_makes_may_be_absent),
        WITH(folder_of_every_kind_of_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
