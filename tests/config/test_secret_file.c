#include "config/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/secret_file.h"
#include "platform/secret_memory.h"

/* The owner is what fstat says, or what a test wants it to say: only root could really change it. */
static uid_t pretended_owner;
static bool pretend;
static int failing_fstat;
static int failing_reads;
static int interrupted_reads;

int __real_fstat(int descriptor, struct stat *status);
int __wrap_fstat(int descriptor, struct stat *status);
ssize_t __real_read(int descriptor, void *bytes, size_t size);
ssize_t __wrap_read(int descriptor, void *bytes, size_t size);
void *__real_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind);

static bool short_of_memory;
static const char *pretended_path; /* "": there is no /proc */

ssize_t __real_readlink(const char *path, char *target, size_t size);
ssize_t __wrap_readlink(const char *path, char *target, size_t size);

ssize_t __wrap_readlink(const char *path, char *target, size_t size)
{
    if (pretended_path == NULL) {
        return __real_readlink(path, target, size);
    }
    if (pretended_path[0] == '\0') {
        errno = ENOENT;
        return -1;
    }
    size_t length = strlen(pretended_path);
    assert_true(length <= size);
    memcpy(target, pretended_path, length);
    return (ssize_t)length;
}

int __wrap_fstat(int descriptor, struct stat *status)
{
    if (failing_fstat != 0) {
        errno = failing_fstat;
        return -1;
    }
    int result = __real_fstat(descriptor, status);
    if (pretend) {
        status->st_uid = pretended_owner;
    }
    return result;
}

ssize_t __wrap_read(int descriptor, void *bytes, size_t size)
{
    if (failing_reads != 0) {
        errno = failing_reads;
        return -1;
    }
    if (interrupted_reads > 0) {
        interrupted_reads--;
        errno = EINTR;
        return -1;
    }
    return __real_read(descriptor, bytes, size > 3 ? 3 : size); /* short reads are put together */
}

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind)
{
    return short_of_memory ? NULL : __real_secret_memory_allocate(size, kind);
}

struct fixture {
    char folder[64];
    struct diagnostics *diagnostics;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL) {
        return -1;
    }
    strcpy(fixture->folder, "/tmp/test_secret_file.XXXXXX");
    fixture->diagnostics = diagnostics_open();
    *state = fixture;
    pretend = false;
    failing_fstat = 0;
    failing_reads = 0;
    interrupted_reads = 0;
    short_of_memory = false;
    pretended_path = NULL;
    unsetenv("CREDENTIALS_DIRECTORY");
    return mkdtemp(fixture->folder) == NULL || chdir(fixture->folder) != 0 || fixture->diagnostics == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"f", "link", "dangling", "pipe", "credentials/f", "credentials/out"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(names[i]);
    }
    rmdir("credentials");
    rmdir("folder");
    diagnostics_close(fixture->diagnostics);
    int result = rmdir(fixture->folder);
    free(fixture);
    return result;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(descriptor, mode), 0);
    close(descriptor);
}

static struct secret_file named_by_a_key(const char *path, enum secret_file_access access)
{
    return (struct secret_file){.path = path,
                                .access = access,
                                .key = "psk.master_secret.file",
                                .place = {.file = "usmpd.yaml", .line = 4, .column = 9}};
}

static void assert_read(void **state, const char *path, enum secret_file_access access, const char *text)
{
    struct fixture *fixture = *state;
    size_t length = 99;
    struct secret_file file = named_by_a_key(path, access);
    char *bytes = secret_file_read(&file, 16, &length, fixture->diagnostics);
    assert_messages(fixture->diagnostics, "");
    assert_non_null(bytes);
    assert_int_equal(length, strlen(text));
    assert_string_equal(bytes, text);
    secret_memory_free(bytes);
}

static void assert_refused_at(void **state, const char *path, enum secret_file_access access, const char *message,
                              int line)
{
    struct fixture *fixture = *state;
    size_t length = 99;
    struct secret_file file = named_by_a_key(path, access);
    char *bytes = secret_file_read(&file, 16, &length, fixture->diagnostics);
    assert_null(bytes);
    assert_int_equal(length, 99);
    assert_messages_at(fixture->diagnostics, message, __FILE__, line);
    diagnostics_close(fixture->diagnostics);
    fixture->diagnostics = diagnostics_open();
    assert_non_null(fixture->diagnostics);
}

#define assert_refused(path, access, message) assert_refused_at(state, path, access, message, __LINE__)

static void private_files_are_read(void **state)
{
    static const mode_t modes[] = {0400, 0600, 0640, 0440, 0660, 0700};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        write_file("f", "sixteen bytes ok", modes[i]);
        assert_read(state, "f", SECRET_FILE_PRIVATE, "sixteen bytes ok");
    }
    write_file("f", "", 0600);
    assert_read(state, "f", SECRET_FILE_PRIVATE, "");
}

static void files_open_to_others_are_refused(void **state)
{
    static const struct {
        mode_t mode;
        const char *message;
    } cases[] = {
        {0604,
         "usmpd.yaml:4:9: psk.master_secret.file: f holds keys and is open to others (mode 0604): chmod o-rwx f\n"},
        {0602,
         "usmpd.yaml:4:9: psk.master_secret.file: f holds keys and is open to others (mode 0602): chmod o-rwx f\n"},
        {0601,
         "usmpd.yaml:4:9: psk.master_secret.file: f holds keys and is open to others (mode 0601): chmod o-rwx f\n"},
        {0644,
         "usmpd.yaml:4:9: psk.master_secret.file: f holds keys and is open to others (mode 0644): chmod o-rwx f\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file("f", "secret", cases[i].mode);
        assert_refused("f", SECRET_FILE_PRIVATE, cases[i].message);
        assert_read(state, "f", SECRET_FILE_ANY, "secret");
    }
}

static void owner_is_this_user_or_root(void **state)
{
    write_file("f", "secret", 0600);
    pretend = true;
    pretended_owner = 0;
    assert_read(state, "f", SECRET_FILE_PRIVATE, "secret");
    pretended_owner = geteuid();
    assert_read(state, "f", SECRET_FILE_PRIVATE, "secret");
    pretended_owner = 54321;
    char message[256];
    snprintf(
        message, sizeof message,
        "usmpd.yaml:4:9: psk.master_secret.file: f belongs to user 54321, who can read and change it: it must belong to user %u (who runs "
        "this) or to root: chown it\n",
        geteuid());
    assert_refused("f", SECRET_FILE_PRIVATE, message);
    assert_read(state, "f", SECRET_FILE_ANY, "secret");
}

static void links_are_followed_and_their_target_is_checked(void **state)
{
    write_file("f", "secret", 0600);
    assert_int_equal(symlink("f", "link"), 0);
    assert_read(state, "link", SECRET_FILE_PRIVATE, "secret");
    assert_int_equal(chmod("f", 0644), 0);
    assert_refused(
        "link", SECRET_FILE_PRIVATE,
        "usmpd.yaml:4:9: psk.master_secret.file: link holds keys and is open to others (mode 0644): chmod o-rwx link\n");
    assert_int_equal(symlink("nothing", "dangling"), 0);
    assert_refused("dangling", SECRET_FILE_PRIVATE,
                   "usmpd.yaml:4:9: psk.master_secret.file: dangling cannot be opened: No such file or directory\n");
}

static void only_regular_files_hold_secrets(void **state)
{
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_refused("folder", SECRET_FILE_PRIVATE,
                   "usmpd.yaml:4:9: psk.master_secret.file: folder is a folder, not a file\n");
    assert_refused("folder", SECRET_FILE_ANY,
                   "usmpd.yaml:4:9: psk.master_secret.file: folder is a folder, not a file\n");
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_refused("pipe", SECRET_FILE_PRIVATE, "usmpd.yaml:4:9: psk.master_secret.file: pipe is no regular file\n");
    assert_refused("none", SECRET_FILE_ANY,
                   "usmpd.yaml:4:9: psk.master_secret.file: none cannot be opened: No such file or directory\n");
}

static void credentials_directory_is_trusted(void **state)
{
    struct fixture *fixture = *state;
    char folder[128];
    snprintf(folder, sizeof folder, "%s/credentials", fixture->folder);
    assert_int_equal(mkdir("credentials", 0755), 0);
    write_file("credentials/f", "secret", 0444);
    static const char refusal[] =
        "usmpd.yaml:4:9: psk.master_secret.file: credentials/f holds keys and is open to others (mode 0444): chmod o-rwx credentials/f\n";
    assert_refused("credentials/f", SECRET_FILE_PRIVATE, refusal);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    assert_read(state, "credentials/f", SECRET_FILE_PRIVATE, "secret");
    pretend = true;
    pretended_owner = 54321;
    assert_read(state, "credentials/f", SECRET_FILE_PRIVATE, "secret");
    pretend = false;

    /* Its name alone is no way out of it. */
    write_file("f", "secret", 0644);
    assert_refused(
        "credentials/../f", SECRET_FILE_PRIVATE,
        "usmpd.yaml:4:9: psk.master_secret.file: credentials/../f holds keys and is open to others (mode 0644): chmod o-rwx "
        "credentials/../f\n");
    assert_int_equal(symlink("../f", "credentials/out"), 0);
    assert_refused(
        "credentials/out", SECRET_FILE_PRIVATE,
        "usmpd.yaml:4:9: psk.master_secret.file: credentials/out holds keys and is open to others (mode 0644): chmod o-rwx "
        "credentials/out\n");

    /* Neither does a name that begins alike, a relative one, or one of nothing count. */
    folder[strlen(folder) - 1] = '\0';
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    assert_refused("credentials/f", SECRET_FILE_PRIVATE, refusal);
    setenv("CREDENTIALS_DIRECTORY", "credentials", 1);
    assert_refused("credentials/f", SECRET_FILE_PRIVATE, refusal);
    setenv("CREDENTIALS_DIRECTORY", "", 1);
    assert_refused("credentials/f", SECRET_FILE_PRIVATE, refusal);
}

static void run_secrets_is_trusted(void **state)
{
    write_file("f", "secret", 0444);
    pretended_path = "/run/secrets/f";
    assert_read(state, "f", SECRET_FILE_PRIVATE, "secret");
    pretended_path = "/run/secrets/kubernetes.io/..data/f";
    assert_read(state, "f", SECRET_FILE_PRIVATE, "secret");
    static const char refusal[] = "usmpd.yaml:4:9: psk.master_secret.file: f holds keys and is open to others (mode "
                                  "0444): chmod o-rwx f\n";
    static const char *const others[] = {"/run/secrets", "/run/secretsX/f", "/srv/run/secrets/f", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        pretended_path = others[i];
        assert_refused("f", SECRET_FILE_PRIVATE, refusal);
    }
}

static void size_is_bounded(void **state)
{
    write_file("f", "seventeen bytes !", 0600);
    assert_refused("f", SECRET_FILE_PRIVATE, "usmpd.yaml:4:9: psk.master_secret.file: f is larger than 16 bytes\n");
}

static void failures_of_the_system_are_told(void **state)
{
    write_file("f", "secret", 0600);
    failing_fstat = EIO;
    assert_refused("f", SECRET_FILE_PRIVATE,
                   "usmpd.yaml:4:9: psk.master_secret.file: f cannot be examined: Input/output error\n");
    failing_fstat = 0;
    failing_reads = EIO;
    assert_refused("f", SECRET_FILE_PRIVATE,
                   "usmpd.yaml:4:9: psk.master_secret.file: f cannot be read: Input/output error\n");
    failing_reads = 0;
    short_of_memory = true;
    assert_refused("f", SECRET_FILE_PRIVATE,
                   "usmpd.yaml:4:9: psk.master_secret.file: f cannot be read: out of memory\n");
    short_of_memory = false;
    interrupted_reads = 2;
    assert_read(state, "f", SECRET_FILE_PRIVATE, "secret");
}

static void no_descriptor_is_left_open(void **state)
{
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    write_file("f", "secret", 0600);
    assert_read(state, "f", SECRET_FILE_PRIVATE, "secret");
    files_open_to_others_are_refused(state);
    size_is_bounded(state);
    failures_of_the_system_are_told(state);
    int again = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(again);
    assert_int_equal(again, next);
}

static void message_about_the_file_itself(void **state)
{
    struct fixture *fixture = *state;
    write_file("f", "secret", 0644);
    struct secret_file file = {.path = "f", .access = SECRET_FILE_PRIVATE, .place = {.file = "f"}};
    assert_int_equal(secret_file_open(&file, fixture->diagnostics), -1);
    assert_messages(fixture->diagnostics, "f: this file holds keys and is open to others (mode 0644): chmod o-rwx f\n");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(private_files_are_read),          WITH(files_open_to_others_are_refused),
        WITH(owner_is_this_user_or_root),      WITH(links_are_followed_and_their_target_is_checked),
        WITH(only_regular_files_hold_secrets), WITH(credentials_directory_is_trusted),
        WITH(run_secrets_is_trusted),          WITH(size_is_bounded),
        WITH(failures_of_the_system_are_told), WITH(no_descriptor_is_left_open),
        WITH(message_about_the_file_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
